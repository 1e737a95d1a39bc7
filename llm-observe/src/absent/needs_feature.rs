//! Methods of `Builder` and `Observer` whose feature is off: calling them says which one to turn on.

#[cfg(not(feature = "delivery"))]
mod delivery {
    use crate::init::Builder;

    #[diagnostic::on_unimplemented(
        message = "alerts need a feature of llm-observe",
        label = "turn on one of `slack`, `email`, `alertmanager`, `pagerduty`, `webhook`"
    )]
    pub trait Channel {}

    #[diagnostic::on_unimplemented(
        message = "error trackers need a feature of llm-observe",
        label = "turn on one of `sentry`, `rollbar`, `airbrake`"
    )]
    pub trait Tracker {}

    impl Builder {
        /// Needs a feature that sends alerts.
        #[doc(hidden)]
        pub fn channel(self, _: impl Channel) -> Builder {
            self
        }

        /// Needs a feature that reports errors.
        #[doc(hidden)]
        pub fn tracker(self, _: impl Tracker) -> Builder {
            self
        }
    }
}

#[cfg(not(feature = "log"))]
mod log {
    use crate::init::Observer;

    impl Observer {
        /// Needs the feature `log`.
        #[doc(hidden)]
        #[deprecated(note = "it needs the feature `log` of llm-observe")]
        pub fn layer() {}
    }
}
