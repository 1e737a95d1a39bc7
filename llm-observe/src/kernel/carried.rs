//! What work carries besides its call and its request: the ids that a program gives, baggage, and the
//! settings of a trace that came from elsewhere. Plain values.

use std::sync::Arc;

use super::{
    baggage::{self, MAX_VALUE},
    pool::{self, prefix},
    request_context::SAMPLED,
    value::{Fields, Value},
};

/// The attributes of a conversation and of a user (OpenTelemetry semantic conventions 1.41.1). These
/// have none of a tenant: it is named as its baggage usually is.
pub(crate) const CONVERSATION: &str = "gen_ai.conversation.id";
pub(crate) const USER: &str = "user.id";
pub(crate) const TENANT: &str = "tenant";

/// The values that work carries, by the names that lines have them under.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    /// An empty value stands for none, also where the surrounding work has one.
    values: Vec<(&'static str, String)>,
    trace: Option<TraceOrigin>,
}

/// What is known of a trace that another process has started.
#[derive(Clone, Debug)]
pub(crate) struct TraceOrigin {
    pub(crate) flags: u8,
    pub(crate) state: Option<String>,
}

impl TraceOrigin {
    /// That of a trace that starts here.
    pub(crate) const HERE: TraceOrigin = TraceOrigin {
        flags: SAMPLED,
        state: None,
    };
}

impl Carried {
    /// Sets a value, at most [`MAX_VALUE`] bytes of it.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        let value = prefix(value, MAX_VALUE).to_owned();
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => self.values.push((name, value)),
        }
    }

    /// Returns the value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.trace.is_none()
    }

    /// Returns the same values, of work whose trace is known by other means.
    pub(crate) fn apart_from_trace(of: &Arc<Carried>) -> Arc<Carried> {
        match of.trace {
            None => of.clone(),
            Some(_) => Arc::new(Carried {
                values: of.values.clone(),
                trace: None,
            }),
        }
    }

    /// Iterates over names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        all.filter(|(_, value)| !value.is_empty())
    }

    /// Records them, except where there is a value of that name.
    pub(crate) fn add_to(&self, fields: &mut Fields) {
        for (name, value) in self.iter() {
            if fields.get(name).is_none() {
                fields.set(name, Value::Str(pool::text(value)));
            }
        }
    }

    /// Adds the values of a `baggage` header under those keys.
    pub(crate) fn add_baggage(&mut self, header: &[u8], keys: &[&'static str]) {
        for (name, value) in baggage::parse(header, keys) {
            self.set(name, &value);
        }
    }

    /// Returns a `baggage` header with the values of those keys.
    pub(crate) fn baggage(&self, keys: &[&'static str]) -> Option<String> {
        let member = |key: &&'static str| Some((*key, self.get(key)?));
        baggage::format(keys.iter().filter_map(member))
    }

    /// Returns what is known of its trace, where that did not come with a request.
    pub(crate) fn trace(&self) -> Option<&TraceOrigin> {
        self.trace.as_ref()
    }

    /// Sets what is known of its trace.
    pub(crate) fn set_trace(&mut self, trace: Option<TraceOrigin>) {
        self.trace = trace;
    }

    /// Lets the `tracestate` of a trace be known that another process has started.
    pub(crate) fn set_state(&mut self, state: Option<String>) {
        if let Some(trace) = &mut self.trace {
            trace.state = state;
        }
    }

    /// Returns these over those of `outer`.
    pub(crate) fn over(&self, outer: &Carried) -> Carried {
        let mut both = outer.clone();
        for (name, value) in &self.values {
            both.set(name, value);
        }
        both.trace = self.trace.clone().or(both.trace);
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_values_replace_outer_ones_and_an_empty_one_removes() {
        let (mut outer, mut inner) = (Carried::default(), Carried::default());
        outer.set(USER, "u-1");
        outer.set(TENANT, "acme");
        inner.set(USER, "u-2");
        inner.set(TENANT, "");
        let both = inner.over(&outer);
        assert_eq!(both.iter().collect::<Vec<_>>(), [(USER, "u-2")]);
        assert_eq!(both.baggage(&[TENANT, USER]).unwrap(), "user.id=u-2");
        assert_eq!(both.baggage(&[TENANT]), None);
    }

    #[test]
    fn a_value_is_bounded_and_a_call_s_own_field_wins() {
        let mut carried = Carried::default();
        carried.set(USER, &"é".repeat(1_000));
        carried.set(TENANT, "acme");
        assert_eq!(carried.get(USER).unwrap(), "é".repeat(MAX_VALUE / 2));
        let mut fields = Fields::EMPTY;
        fields.set(TENANT, Value::U64(7));
        carried.add_to(&mut fields);
        assert_eq!(fields.get(TENANT), Some(&Value::U64(7)));
        assert_eq!(fields.iter().count(), 2);
    }
}
