//! What of the policy outlives the process, as a file has it: incidents, told of or not, and what
//! digests were to name. What cannot be read back is left out, and told anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Incident;
use crate::alerts::{Held, Status};

/// The state of alerts in a file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::alerts) struct Saved {
    pub(super) incidents: Vec<Incident>,
    /// By channel.
    pub(super) channels: BTreeMap<String, Sending>,
}

/// What was sent to a channel of late, and held back from it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sending {
    pub(super) sent: Vec<u64>,
    pub(super) held: Vec<Line>,
}

/// A line of a digest: an alert that was held back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    event: String,
    status: String,
    severity: String,
    count: u64,
}

impl Line {
    pub(super) fn of(held: &Held) -> Line {
        Line {
            event: held.event.clone(),
            status: held.status.as_str().to_owned(),
            severity: held.severity.as_str().to_owned(),
            count: held.count,
        }
    }

    pub(super) fn held(self) -> Option<Held> {
        Some(Held {
            event: self.event,
            status: Status::ALL
                .into_iter()
                .find(|s| s.as_str() == self.status)?,
            severity: self.severity.parse().ok()?,
            count: self.count,
        })
    }
}

/// The different errors of an incident.
pub(super) mod errors {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::{
        alerts::{Distinct, Trigger},
        kernel::outcome::ErrorClass,
    };

    #[derive(Serialize, Deserialize)]
    struct Row {
        function: String,
        trigger: String,
        type_name: String,
        message: String,
        class: Option<String>,
        count: u64,
    }

    pub(in super::super) fn serialize<S: Serializer>(
        errors: &[Distinct],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(errors.iter().map(row))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Distinct>, D::Error> {
        let rows = Vec::<Row>::deserialize(from)?;
        Ok(rows.into_iter().filter_map(distinct).collect())
    }

    fn row(error: &Distinct) -> Row {
        Row {
            function: error.function.clone(),
            trigger: error.trigger.as_str().to_owned(),
            type_name: error.type_name.clone(),
            message: error.message.clone(),
            class: error.class.map(|class| class.as_str().to_owned()),
            count: error.count,
        }
    }

    fn distinct(row: Row) -> Option<Distinct> {
        let class = row.class.as_deref();
        Some(Distinct {
            trigger: Trigger::from_name(&row.trigger)?,
            class: class.and_then(|name| ErrorClass::ALL.into_iter().find(|c| c.as_str() == name)),
            function: row.function,
            type_name: row.type_name,
            message: row.message,
            count: row.count,
        })
    }
}
