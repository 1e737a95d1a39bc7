"""Prints priced calls, one JSON object a line, as the Python package genai-prices prices them.

A case is a provider, a model as it may be written, a usage, and a time; `usd` is null where the call has no
price. What the package counts as 0 and llm-observe does not know is null too: a count that is absent and
has a price, and models that are not priced by their tokens.
"""

import json
import random
import sys
from datetime import datetime, timedelta, timezone

import genai_prices
from genai_prices import data, types

TOKENS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "output_reasoning_mtok")
OTHERS = ("audio_hours", "hours", "mchars", "kpages", "mpixels", "messages_kcount")
MANY = 1_000_000


def usage_of(counts):
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "output_reasoning_tokens")
    return genai_prices.Usage(**{name: n for name, n in zip(names, counts) if n is not None})


def price(case, counts):
    when = datetime.fromtimestamp(case["when"], timezone.utc)
    return genai_prices.calc_price(
        usage_of(counts),
        model_ref=case["model"],
        provider_id=case["provider"],
        genai_request_timestamp=when,
    )


def rates(price):
    for key, value in vars(price).items():
        if isinstance(value, types.TieredPrices):
            yield key, value.base
            for tier in value.tiers:
                yield key, tier.price
        elif value is not None and not key.startswith("_"):
            yield key, value


def usd(case):
    """The package's cost; None where it has none or where it is not known."""
    # Whatever an absent whole is, it has to make no difference.
    filled = lambda with_: [with_ if n is None and at < 2 else n for at, n in enumerate(case["usage"])]
    try:
        priced, other = price(case, filled(0)), price(case, filled(MANY))
    except (LookupError, ValueError):
        return None
    if priced.total_price != other.total_price:
        return None
    priced_by = [key for key, rate in rates(priced.model_price) if rate]
    by_tokens = any(key in TOKENS or key == "requests_kcount" for key in priced_by)
    if not by_tokens and any(key.endswith(OTHERS) for key in priced_by):
        return None
    return float(priced.total_price)


def names(logic):
    """Names that a rule for models matches, without its regular expressions."""
    if isinstance(logic, types.ClauseEquals):
        yield logic.equals
    elif isinstance(logic, types.ClauseStartsWith):
        yield from (logic.starts_with, logic.starts_with + "-20250930", logic.starts_with.upper())
    elif isinstance(logic, types.ClauseEndsWith):
        yield from (logic.ends_with, "my-" + logic.ends_with)
    elif isinstance(logic, types.ClauseContains):
        yield from (logic.contains, f"a-{logic.contains}-b")
    for inner in getattr(logic, "or_", None) or getattr(logic, "and_", None) or ():
        yield from names(inner)


def edges(model):
    """The sizes around its tiers, and the times around its prices' dates and hours."""
    sizes, times = [], []
    prices = model.prices if isinstance(model.prices, list) else [types.ConditionalPrice(prices=model.prices)]
    for conditional in prices:
        for value in vars(conditional.prices).values():
            for tier in getattr(value, "tiers", ()):
                sizes += [tier.start - 1, tier.start, tier.start + 1]
        start = getattr(conditional.constraint, "start_date", None)
        if start:
            times.append(datetime(start.year, start.month, start.day, tzinfo=timezone.utc))
        for edge in ("start_time", "end_time"):
            time = getattr(conditional.constraint, edge, None)
            if time:
                times.append(datetime.combine(datetime(2025, 6, 1), time))
    return sizes, [int(time.timestamp()) + second for time in times for second in (-1, 0, 1)]


def counts(random, sizes):
    size = random.choice(sizes) if sizes and random.random() < 0.5 else int(10 ** random.uniform(0, 6.3))
    output = random.choice([0, int(10 ** random.uniform(0, 5)), int(10 ** random.uniform(0, 5))])
    read = random.choice([None, 0, random.randint(0, size), random.randint(0, size)])
    written = random.choice([None, 0, random.randint(0, size - (read or 0))])
    reasoning = random.choice([None, 0, random.randint(0, output)])
    chance = random.random()
    if chance < 0.05:
        read = size + 1
    elif chance < 0.15:
        output, reasoning = None, None
    elif chance < 0.2:
        size, read, written = None, None, None
    return [size, output, read, written, reasoning]


def cases(seed, at_least):
    chance = random.Random(seed)
    models = [(provider, model) for provider in data.providers for model in provider.models]
    chance.shuffle(models)
    # Those with tiers, dates and hours first, so that all of these are among the cases.
    models.sort(key=lambda pair: not any(edges(pair[1])))
    end = datetime(2027, 3, 1, tzinfo=timezone.utc)
    for n in range(max(at_least, len(models))):
        provider, model = models[n % len(models)]
        sizes, times = edges(model)
        name = chance.choice([model.id, *names(model.match)])
        prefix = chance.choice(["", "", "", provider.id + "/", "models/"])
        when = int((end - timedelta(minutes=chance.randint(0, 3 * 365 * 1440))).timestamp())
        case = {
            "provider": provider.id,
            "model": name,
            "usage": counts(chance, sizes),
            "when": chance.choice(times) if times and chance.random() < 0.5 else when,
        }
        case["usd"] = usd(case)
        # A prefix that the package does not know makes no difference to llm-observe.
        known = not prefix or resolves({**case, "model": prefix + name})
        case["model"] = name if known else prefix + name
        case["resolves"] = resolves({**case, "model": name})
        yield case


def resolves(case):
    try:
        price(case, [0, 0, None, None, None])
        return True
    except LookupError:
        return False


print(json.dumps({"version": genai_prices.__version__, "models": sum(len(p.models) for p in data.providers)}))
for case in cases(int(sys.argv[1]), int(sys.argv[2])):
    print(json.dumps(case))
