//! The static with the constant facts of the function.

use llm_observe_config::Severity;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{LitStr, ext::IdentExt};

use crate::{
    args::{Alert, Args, Level, Nanos},
    event::default_name,
};

/// Returns an expression of the type `&'static Site`: the static is inside it, so that no name of
/// the body can mean it.
pub(crate) fn site(
    args: &Args,
    function: &Ident,
    recorded: &[String],
    runtime: &TokenStream,
) -> TokenStream {
    let span = Span::mixed_site();
    let event = match &args.event {
        Some(event) => event.clone(),
        None => LitStr::new(&default_name(function), span),
    };
    let name = LitStr::new(&function.unraw().to_string(), span);
    let settings = settings(args, recorded, runtime);
    quote! {{
        enum __Here {}
        #[used]
        #[cfg_attr(target_os = "linux", unsafe(link_section = #runtime::section!()))]
        static __SITE: #runtime::Site = #runtime::Site::here(
            #event,
            #name,
            #runtime::core::module_path!(),
            #runtime::path_of::<__Here>,
        ) #settings;
        &__SITE
    }}
}

/// Returns one call for each fact that differs from the default.
fn settings(args: &Args, recorded: &[String], runtime: &TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let level = |level: &Level| level.tokens(runtime);
    let nanos = |Nanos { nanos, .. }: &Nanos| quote!(#runtime::nanos(#nanos));
    let mut set = |name: &str, value: Option<TokenStream>| {
        let name = Ident::new(name, Span::mixed_site());
        out.extend(value.map(|value| quote!(.#name(#value))));
    };
    set("name", args.name.as_ref().map(|name| quote!(#name)));
    set("target", args.target.as_ref().map(|target| quote!(#target)));
    set("level", args.level.as_ref().map(level));
    set(
        "err_level",
        args.err
            .as_ref()
            .and_then(|err| err.level.as_ref())
            .map(level),
    );
    set(
        "fields",
        (!recorded.is_empty()).then(|| quote!(&[#(#recorded),*])),
    );
    set("alerts", alerts(args, runtime));
    set("slow", args.slow.as_ref().map(nanos));
    set("stalled", args.stalled.as_ref().map(nanos));
    set("timeout", args.timeout.as_ref().map(nanos));
    set("sample", args.sample.as_ref().map(|share| float(share.0)));
    set(
        "min_quality",
        args.min_quality.as_ref().map(|share| float(share.0)),
    );
    set("has_items", args.items.as_ref().map(|_| TokenStream::new()));
    set(
        "has_quality",
        args.quality.as_ref().map(|_| TokenStream::new()),
    );
    set(
        "has_evaluation",
        (!args.evaluations.is_empty()).then(TokenStream::new),
    );
    set("has_stream", args.stream.then(TokenStream::new));
    set(
        "has_stream_limits",
        args.stream_limits.span.map(|_| TokenStream::new()),
    );
    set(
        "performs",
        args.operation.name.map(|name| {
            let name = Ident::new(&name.to_uppercase(), Span::mixed_site());
            quote!(&#runtime::genai::#name)
        }),
    );
    set("report", args.report.map(|report| quote!(#report)));
    out
}

fn float(value: f64) -> TokenStream {
    quote!(#value)
}

fn alerts(args: &Args, runtime: &TokenStream) -> Option<TokenStream> {
    let on_error = args.alert_on_error.unwrap_or(false);
    let on_error =
        on_error.then(|| quote!(#runtime::AlertRule::new(#runtime::TriggerSet::FAILURE)));
    let rules: Vec<_> = on_error
        .into_iter()
        .chain(args.alerts.iter().map(|alert| rule(alert, runtime)))
        .collect();
    (!rules.is_empty()).then(|| quote!(&[#(#rules),*]))
}

fn rule(alert: &Alert, runtime: &TokenStream) -> TokenStream {
    let ident = |name| Ident::new(name, Span::mixed_site());
    let mut triggers = alert.on.iter().map(|(trigger, _)| ident(trigger.constant));
    let first = triggers.next().unwrap_or_else(|| ident("FAILURE"));
    let channel = alert
        .channel
        .as_ref()
        .map(|channel| quote!(.channel(#channel)));
    let after = alert.after.map(|count| quote!(.after(#count)));
    let within = alert
        .within
        .as_ref()
        .map(|Nanos { nanos, .. }| quote!(.within(#runtime::nanos(#nanos))));
    let severity = alert.severity.map(|severity| {
        let variant = ident(match severity {
            Severity::Info => "Info",
            Severity::Warning => "Warning",
            Severity::Error => "Error",
            Severity::Critical => "Critical",
        });
        quote!(.severity(#runtime::Severity::#variant))
    });
    quote!(#runtime::AlertRule::new(#runtime::TriggerSet::#first #(.or(#runtime::TriggerSet::#triggers))*) #channel #after #within #severity)
}
