//! The keys and tokens that are known by their prefix: one row for each kind, as its issuer documents
//! it or as the rule sets of public scanners have it. Data alone: [`shape`](super::shape) reads it.
//!
//! Lengths are lower bounds, often below the real ones: what is cut short in a message is secret too.

/// What the characters behind a prefix are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `0-9a-fA-F`.
    Hex,
    /// `A-Z0-9`.
    Upper,
    /// Letters and digits.
    Alnum,
    /// Sixteen of `A-Z0-9`, and no more.
    AwsId,
    /// Letters, digits, `_` and `-`, and no words of a name (`sk-learn-contrib-tools`).
    Word,
    /// As `Word`, in parts with dots between.
    Dotted,
    /// Letters, digits, `+`, `/`, `=`, `_` and `-`, and no words of a name.
    Base64,
}

/// Where a prefix may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the middle of a word too: nothing else looks like it. Such a prefix has a `-` or `_`.
    Anywhere,
    /// At the start of a word, or behind `_` or `-`.
    Start,
}

/// One kind of key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issuer {
    pub(super) prefix: &'static str,
    pub(super) body: Body,
    /// The fewest characters behind the prefix.
    pub(super) least: usize,
    pub(super) place: Place,
    /// Whose it is.
    #[cfg_attr(not(test), allow(dead_code, reason = "for readers and tests"))]
    pub(super) name: &'static str,
    /// Where the format is described.
    #[cfg_attr(not(test), allow(dead_code, reason = "for readers and tests"))]
    pub(super) source: &'static str,
}

const GITLEAKS: &str = "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml";
const BETTERLEAKS: &str =
    "https://github.com/betterleaks/betterleaks/blob/main/config/betterleaks.toml";
const KINGFISHER: &str = "https://github.com/mongodb/kingfisher/tree/main/data/rules";
const TRUFFLEHOG: &str = "https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors";
const GITHUB: &str = "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/";
const GITLAB: &str = "https://docs.gitlab.com/security/tokens/#token-prefixes";
const SLACK: &str = "https://docs.slack.dev/authentication/tokens/";
const STRIPE: &str = "https://docs.stripe.com/keys";
const VAULT: &str = "https://developer.hashicorp.com/vault/docs/concepts/tokens";
const AWS: &str = "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html";
const PASETO: &str = "https://github.com/paseto-standard/paseto-spec";

use Body::{Alnum, AwsId, Base64, Dotted, Hex, Upper, Word};
use Place::{Anywhere, Start};

const fn row(
    prefix: &'static str,
    body: Body,
    least: usize,
    place: Place,
    name: &'static str,
    source: &'static str,
) -> Issuer {
    Issuer {
        prefix,
        body,
        least,
        place,
        name,
        source,
    }
}

/// The rows. A prefix has at least three characters.
#[rustfmt::skip]
pub(super) const ISSUERS: &[Issuer] = &[
    // Models and what is built on them.
    row("sk-", Word, 16, Start, "OpenAI and those that imitate it", GITLEAKS),
    row("sk-ant-", Word, 12, Anywhere, "Anthropic", GITLEAKS),
    row("sk-proj-", Word, 12, Anywhere, "OpenAI project", GITLEAKS),
    row("sk-svcacct-", Word, 12, Anywhere, "OpenAI service account", GITLEAKS),
    row("sk-admin-", Word, 16, Anywhere, "OpenAI admin", GITLEAKS),
    row("sk-or-v1-", Word, 12, Anywhere, "OpenRouter", BETTERLEAKS),
    row("sk-lf-", Word, 16, Anywhere, "Langfuse secret", BETTERLEAKS),
    row("sk-api-", Word, 32, Start, "MiniMax", BETTERLEAKS),
    row("AIzaSy", Word, 28, Start, "Google API", GITLEAKS),
    row("AIza", Word, 31, Start, "Google API", GITLEAKS),
    row("AQ.", Word, 30, Start, "Google AI Studio", BETTERLEAKS),
    row("ABSK", Base64, 40, Start, "Amazon Bedrock, long-lived", AWS),
    row("bedrock-api-key-", Base64, 16, Anywhere, "Amazon Bedrock, short-lived", AWS),
    row("csk-", Alnum, 32, Start, "Cerebras", BETTERLEAKS),
    row("tgp_v1_", Word, 30, Anywhere, "Together AI", BETTERLEAKS),
    row("fw_", Alnum, 20, Start, "Fireworks AI", TRUFFLEHOG),
    row("pcsk_", Word, 30, Anywhere, "Pinecone", BETTERLEAKS),
    row("lsv2_pt_", Word, 24, Anywhere, "LangSmith personal", BETTERLEAKS),
    row("lsv2_sk_", Word, 24, Anywhere, "LangSmith service", BETTERLEAKS),
    row("jina_", Alnum, 32, Start, "Jina AI", KINGFISHER),
    row("sk_", Hex, 40, Start, "ElevenLabs", "https://elevenlabs.io/docs/api-reference/authentication"),
    row("gsk_", Alnum, 28, Start, "Groq", KINGFISHER),
    row("xai-", Word, 32, Start, "xAI", KINGFISHER),
    row("r8_", Alnum, 32, Start, "Replicate", KINGFISHER),
    row("hf_", Alnum, 28, Start, "Hugging Face", GITLEAKS),
    row("api_org_", Alnum, 28, Anywhere, "Hugging Face organization", GITLEAKS),
    row("nvapi-", Word, 16, Anywhere, "NVIDIA", BETTERLEAKS),
    row("pplx-", Word, 32, Anywhere, "Perplexity", GITLEAKS),
    row("tvly-", Word, 16, Anywhere, "Tavily", "https://docs.tavily.com/documentation/api-reference/introduction"),
    row("llx-", Alnum, 30, Start, "LlamaCloud", BETTERLEAKS),
    row("wandb_v1_", Word, 30, Anywhere, "Weights & Biases", BETTERLEAKS),
    row("lmnr_", Alnum, 32, Start, "Laminar", TRUFFLEHOG),
    row("pa-", Word, 40, Start, "Voyage AI", BETTERLEAKS),
    row("rpa_", Alnum, 30, Start, "RunPod", BETTERLEAKS),
    row("apify_api_", Alnum, 30, Anywhere, "Apify", BETTERLEAKS),
    row("phx_", Word, 30, Start, "PostHog", KINGFISHER),
    row("fc-", Hex, 32, Start, "Firecrawl", KINGFISHER),
    row("e2b_", Hex, 36, Start, "E2B", KINGFISHER),
    row("pylf_v1_", Word, 24, Anywhere, "Pydantic Logfire", "https://logfire.pydantic.dev/docs/how-to-guides/create-write-tokens/"),
    row("BSA", Word, 24, Start, "Brave Search", BETTERLEAKS),
    // Clouds and identity.
    row("AKIA", AwsId, 16, Start, "AWS access key id", GITLEAKS),
    row("ASIA", AwsId, 16, Start, "AWS temporary access key id", GITLEAKS),
    row("ABIA", AwsId, 16, Start, "AWS STS bearer", GITLEAKS),
    row("ACCA", AwsId, 16, Start, "AWS context credential", GITLEAKS),
    row("GOCSPX-", Word, 16, Anywhere, "Google OAuth client secret", KINGFISHER),
    row("ya29.", Dotted, 20, Start, "Google OAuth access token", "https://developers.google.com/identity/protocols/oauth2#size"),
    row("1//0", Word, 20, Start, "Google OAuth refresh token", "https://developers.google.com/identity/protocols/oauth2#size"),
    row("LTAI", Alnum, 16, Start, "Alibaba Cloud", GITLEAKS),
    row("dop_v1_", Hex, 32, Anywhere, "DigitalOcean personal", GITLEAKS),
    row("doo_v1_", Hex, 32, Anywhere, "DigitalOcean OAuth", GITLEAKS),
    row("dor_v1_", Hex, 32, Anywhere, "DigitalOcean refresh", GITLEAKS),
    row("dapi", Hex, 32, Start, "Databricks", GITLEAKS),
    row("dkea", Hex, 32, Start, "Databricks", KINGFISHER),
    row("dose", Hex, 32, Start, "Databricks OAuth", "https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m"),
    row("hvs.", Word, 20, Start, "HashiCorp Vault service", VAULT),
    row("hvb.", Word, 20, Start, "HashiCorp Vault batch", VAULT),
    row("hvr.", Word, 20, Start, "HashiCorp Vault recovery", VAULT),
    row("atlasv1.", Word, 40, Start, "Terraform Cloud", GITLEAKS),
    row("v1.0-", Word, 60, Start, "Cloudflare origin CA", GITLEAKS),
    row("cfut_", Alnum, 40, Anywhere, "Cloudflare user", BETTERLEAKS),
    row("cfat_", Alnum, 40, Anywhere, "Cloudflare account", BETTERLEAKS),
    row("HRKU-", Word, 32, Anywhere, "Heroku", GITLEAKS),
    row("fo1_", Word, 40, Start, "Fly.io", GITLEAKS),
    row("fm1r_", Base64, 60, Start, "Fly.io", GITLEAKS),
    row("fm1a_", Base64, 60, Start, "Fly.io", GITLEAKS),
    row("fm2_", Base64, 60, Start, "Fly.io", GITLEAKS),
    row("sbp_", Word, 32, Start, "Supabase personal", BETTERLEAKS),
    row("sb_secret_", Word, 20, Anywhere, "Supabase secret", BETTERLEAKS),
    row("pscale_tkn_", Dotted, 30, Anywhere, "PlanetScale", GITLEAKS),
    row("pscale_oauth_", Dotted, 30, Anywhere, "PlanetScale", GITLEAKS),
    row("pscale_pw_", Dotted, 30, Anywhere, "PlanetScale", GITLEAKS),
    row("mdb_sa_sk_", Word, 30, Anywhere, "MongoDB Atlas", KINGFISHER),
    row("AstraCS:", Alnum, 16, Start, "DataStax Astra", BETTERLEAKS),
    row("napi_", Alnum, 40, Start, "Neon", BETTERLEAKS),
    row("vcp_", Word, 24, Start, "Vercel", BETTERLEAKS),
    row("vck_", Word, 24, Start, "Vercel AI Gateway", BETTERLEAKS),
    row("vca_", Word, 24, Start, "Vercel app", BETTERLEAKS),
    row("vcr_", Word, 24, Start, "Vercel refresh", BETTERLEAKS),
    row("vci_", Word, 24, Start, "Vercel integration", BETTERLEAKS),
    row("nfp_", Alnum, 36, Start, "Netlify", "https://docs.netlify.com/api/get-started/"),
    row("rnd_", Alnum, 28, Start, "Render", BETTERLEAKS),
    row("pul-", Hex, 40, Start, "Pulumi", GITLEAKS),
    row("tskey-", Word, 20, Anywhere, "Tailscale", BETTERLEAKS),
    row("sha256~", Word, 40, Start, "OpenShift", GITLEAKS),
    row("dckr_pat_", Word, 24, Anywhere, "Docker personal", KINGFISHER),
    row("dckr_oat_", Word, 24, Anywhere, "Docker organization", BETTERLEAKS),
    row("SWMTKN-1-", Word, 40, Anywhere, "Docker Swarm", BETTERLEAKS),
    row("SWMKEY-1-", Base64, 40, Anywhere, "Docker Swarm", BETTERLEAKS),
    row("dp.pt.", Alnum, 30, Start, "Doppler personal", GITLEAKS),
    row("dp.st.", Dotted, 30, Start, "Doppler service", "https://docs.doppler.com/docs/service-tokens"),
    row("ops_eyJ", Base64, 40, Anywhere, "1Password service account", GITLEAKS),
    row("A3-", Word, 24, Start, "1Password secret", GITLEAKS),
    // Code and packages.
    row("ghp_", Alnum, 20, Start, "GitHub personal", GITHUB),
    row("gho_", Alnum, 20, Start, "GitHub OAuth", GITHUB),
    row("ghu_", Alnum, 20, Start, "GitHub user-to-server", GITHUB),
    row("ghs_", Alnum, 20, Start, "GitHub server-to-server", GITHUB),
    row("ghr_", Alnum, 20, Start, "GitHub refresh", GITHUB),
    row("github_pat_", Word, 20, Anywhere, "GitHub fine-grained", GITHUB),
    row("glpat-", Dotted, 16, Anywhere, "GitLab personal, routable too", GITLAB),
    row("glrt-", Dotted, 16, Anywhere, "GitLab runner, routable too", GITLAB),
    row("glrtr-", Dotted, 16, Anywhere, "GitLab runner registration", GITLAB),
    row("glcbt-", Dotted, 16, Anywhere, "GitLab job", GITLAB),
    row("gldt-", Dotted, 16, Anywhere, "GitLab deploy", GITLAB),
    row("glptt-", Dotted, 16, Anywhere, "GitLab trigger", GITLAB),
    row("glft-", Dotted, 16, Anywhere, "GitLab feed", GITLAB),
    row("glimt-", Dotted, 16, Anywhere, "GitLab incoming mail", GITLAB),
    row("glagent-", Dotted, 16, Anywhere, "GitLab agent", GITLAB),
    row("gloas-", Dotted, 16, Anywhere, "GitLab OAuth application", GITLAB),
    row("glsoat-", Dotted, 16, Anywhere, "GitLab SCIM", GITLAB),
    row("glffct-", Dotted, 16, Anywhere, "GitLab feature flags", GITLAB),
    row("glwt-", Dotted, 16, Anywhere, "GitLab workspace", GITLAB),
    row("GR1348941", Word, 16, Start, "GitLab runner registration", GITLEAKS),
    row("BBDC-", Base64, 30, Anywhere, "Bitbucket Data Center", BETTERLEAKS),
    row("ATBB", Alnum, 28, Start, "Bitbucket app password", TRUFFLEHOG),
    row("ATATT", Base64, 24, Start, "Atlassian", GITLEAKS),
    row("ATCTT", Base64, 24, Start, "Atlassian", BETTERLEAKS),
    row("npm_", Alnum, 32, Start, "npm", GITLEAKS),
    row("pypi-AgEI", Word, 16, Anywhere, "PyPI", GITLEAKS),
    row("pypi-AgEN", Word, 16, Anywhere, "PyPI test", TRUFFLEHOG),
    row("cio", Alnum, 32, Start, "crates.io", "https://blog.rust-lang.org/2022/07/13/crates-io-tokens.html"),
    row("rubygems_", Hex, 40, Anywhere, "RubyGems", GITLEAKS),
    row("oy2", Alnum, 43, Start, "NuGet", BETTERLEAKS),
    row("CLOJARS_", Alnum, 50, Anywhere, "Clojars", GITLEAKS),
    row("AKCp", Alnum, 60, Start, "Artifactory", GITLEAKS),
    row("cmVmd", Alnum, 50, Start, "Artifactory reference", GITLEAKS),
    row("bkua_", Alnum, 36, Start, "Buildkite", KINGFISHER),
    row("CCIPAT_", Word, 30, Anywhere, "CircleCI", KINGFISHER),
    row("CCIPRJ_", Word, 30, Anywhere, "CircleCI project", TRUFFLEHOG),
    row("sqp_", Hex, 40, Start, "SonarQube project", GITLEAKS),
    row("squ_", Hex, 40, Start, "SonarQube user", GITLEAKS),
    row("sqa_", Hex, 40, Start, "SonarQube analysis", GITLEAKS),
    row("sgp_", Word, 40, Start, "Sourcegraph", GITLEAKS),
    row("lin_api_", Alnum, 24, Anywhere, "Linear", GITLEAKS),
    row("lin_oauth_", Alnum, 24, Anywhere, "Linear OAuth", KINGFISHER),
    row("PMAK-", Word, 40, Anywhere, "Postman", GITLEAKS),
    row("rdme_", Alnum, 60, Start, "ReadMe", GITLEAKS),
    row("API-", Upper, 26, Start, "Octopus Deploy", GITLEAKS),
    // Chat, mail, documents, customers.
    row("xoxb-", Word, 10, Anywhere, "Slack bot", SLACK),
    row("xoxp-", Word, 10, Anywhere, "Slack user", SLACK),
    row("xoxa-", Word, 10, Anywhere, "Slack workspace", SLACK),
    row("xoxe-", Word, 10, Anywhere, "Slack refresh", SLACK),
    row("xoxr-", Word, 10, Anywhere, "Slack refresh", SLACK),
    row("xoxs-", Word, 10, Anywhere, "Slack session", SLACK),
    row("xoxc-", Word, 10, Anywhere, "Slack client", BETTERLEAKS),
    row("xoxd-", Base64, 10, Anywhere, "Slack cookie", BETTERLEAKS),
    row("xoxo-", Word, 10, Anywhere, "Slack legacy", GITLEAKS),
    row("xapp-", Word, 10, Anywhere, "Slack app", SLACK),
    row("xwfp-", Word, 10, Anywhere, "Slack workflow", SLACK),
    row("SG.", Dotted, 20, Start, "SendGrid", GITLEAKS),
    row("key-", Hex, 32, Start, "Mailgun", GITLEAKS),
    row("xkeysib-", Word, 40, Anywhere, "Brevo", GITLEAKS),
    row("xsmtpsib-", Word, 40, Anywhere, "Brevo SMTP", TRUFFLEHOG),
    row("md-", Alnum, 22, Start, "Mandrill", "https://mailchimp.com/developer/transactional/docs/fundamentals/"),
    row("mlsn.", Alnum, 40, Start, "MailerSend", BETTERLEAKS),
    row("ntn_", Alnum, 32, Start, "Notion", GITLEAKS),
    row("secret_", Alnum, 40, Start, "Notion internal", KINGFISHER),
    row("figd_", Word, 32, Start, "Figma", KINGFISHER),
    row("figu_", Word, 32, Start, "Figma OAuth", KINGFISHER),
    row("CFPAT-", Word, 32, Anywhere, "Contentful", KINGFISHER),
    row("pat-na1-", Word, 30, Anywhere, "HubSpot", KINGFISHER),
    row("pat-eu1-", Word, 30, Anywhere, "HubSpot", KINGFISHER),
    row("EAAC", Alnum, 60, Start, "Meta", GITLEAKS),
    row("EAAM", Alnum, 60, Start, "Meta", GITLEAKS),
    row("tfp_", Dotted, 36, Start, "Typeform", GITLEAKS),
    row("aio_", Alnum, 28, Start, "Adafruit IO", KINGFISHER),
    row("p8e-", Alnum, 32, Start, "Adobe", GITLEAKS),
    row("ico-", Alnum, 32, Start, "Infracost", GITLEAKS),
    row("pnu_", Alnum, 36, Start, "Prefect", GITLEAKS),
    row("cal_live_", Alnum, 24, Anywhere, "Cal.com", TRUFFLEHOG),
    // Money and shops.
    row("sk_live_", Word, 12, Anywhere, "Stripe", STRIPE),
    row("sk_test_", Word, 12, Anywhere, "Stripe", STRIPE),
    row("rk_live_", Word, 12, Anywhere, "Stripe restricted", STRIPE),
    row("rk_test_", Word, 12, Anywhere, "Stripe restricted", STRIPE),
    row("whsec_", Base64, 16, Anywhere, "Stripe, Svix webhook", STRIPE),
    row("shpat_", Hex, 30, Anywhere, "Shopify access", GITLEAKS),
    row("shpca_", Hex, 30, Anywhere, "Shopify custom", GITLEAKS),
    row("shppa_", Hex, 30, Anywhere, "Shopify private", GITLEAKS),
    row("shpss_", Hex, 30, Anywhere, "Shopify shared", GITLEAKS),
    row("shprt_", Hex, 30, Anywhere, "Shopify refresh", TRUFFLEHOG),
    row("sq0atp-", Word, 20, Anywhere, "Square access", KINGFISHER),
    row("sq0csp-", Word, 30, Anywhere, "Square secret", KINGFISHER),
    row("EAAA", Word, 50, Start, "Square access", GITLEAKS),
    row("shippo_live_", Hex, 32, Anywhere, "Shippo", GITLEAKS),
    row("shippo_test_", Hex, 32, Anywhere, "Shippo", GITLEAKS),
    row("EZAK", Alnum, 50, Start, "EasyPost", GITLEAKS),
    row("EZTK", Alnum, 50, Start, "EasyPost", GITLEAKS),
    row("FLWSECK_", Word, 16, Anywhere, "Flutterwave", GITLEAKS),
    row("duffel_live_", Word, 32, Anywhere, "Duffel", GITLEAKS),
    row("duffel_test_", Word, 32, Anywhere, "Duffel", GITLEAKS),
    row("pdl_live_apikey_", Word, 20, Anywhere, "Paddle", BETTERLEAKS),
    row("access-production-", Word, 30, Start, "Plaid", GITLEAKS),
    row("access-sandbox-", Word, 30, Start, "Plaid", GITLEAKS),
    // Telemetry.
    row("sntrys_", Base64, 16, Anywhere, "Sentry organization", "https://docs.sentry.io/account/auth-tokens/"),
    row("sntryu_", Word, 16, Anywhere, "Sentry user", "https://docs.sentry.io/account/auth-tokens/"),
    row("glsa_", Word, 24, Start, "Grafana service account", GITLEAKS),
    row("glc_", Base64, 32, Start, "Grafana Cloud", GITLEAKS),
    row("eyJrIjoi", Base64, 24, Start, "Grafana", GITLEAKS),
    row("NRAK-", Upper, 20, Anywhere, "New Relic user", GITLEAKS),
    row("NRII-", Word, 20, Anywhere, "New Relic insert", GITLEAKS),
    row("NRJS-", Hex, 19, Anywhere, "New Relic browser", GITLEAKS),
    row("NRIQ-", Word, 20, Anywhere, "New Relic query", TRUFFLEHOG),
    row("dt0c01.", Dotted, 40, Start, "Dynatrace", GITLEAKS),
    row("dt0s01.", Dotted, 40, Start, "Dynatrace OAuth", "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients"),
    row("hcaik_", Alnum, 30, Anywhere, "Honeycomb ingest", "https://docs.honeycomb.io/configure/environments/manage-api-keys/"),
    row("hcxik_", Alnum, 30, Anywhere, "Honeycomb classic ingest", "https://docs.honeycomb.io/configure/environments/manage-api-keys/"),
    row("xaat-", Word, 30, Anywhere, "Axiom", TRUFFLEHOG),
    row("sdk-", Word, 36, Start, "LaunchDarkly SDK", GITLEAKS),
    row("api-", Hex, 40, Start, "LaunchDarkly API", GITLEAKS),
    // Keys of no single issuer.
    row("AGE-SECRET-KEY-1", Upper, 20, Anywhere, "age", "https://age-encryption.org/v1"),
    row("v1.local.", Dotted, 30, Start, "PASETO", PASETO),
    row("v2.local.", Dotted, 30, Start, "PASETO", PASETO),
    row("v3.local.", Dotted, 30, Start, "PASETO", PASETO),
    row("v4.local.", Dotted, 30, Start, "PASETO", PASETO),
    row("v1.public.", Dotted, 30, Start, "PASETO", PASETO),
    row("v2.public.", Dotted, 30, Start, "PASETO", PASETO),
    row("v3.public.", Dotted, 30, Start, "PASETO", PASETO),
    row("v4.public.", Dotted, 30, Start, "PASETO", PASETO),
    row("k4.local.", Word, 30, Start, "PASERK", "https://github.com/paseto-standard/paserk"),
    row("k4.secret.", Word, 30, Start, "PASERK", "https://github.com/paseto-standard/paserk"),
    row("LS0tLS1CRUdJTi", Base64, 30, Start, "PEM in base64", KINGFISHER),
    row("ZXlKaGJHY", Base64, 30, Start, "JSON Web Token in base64", GITLEAKS),
];
