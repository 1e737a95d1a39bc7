//! Fields whose names say that they are secret leave no value, text or number, in a call's line or an
//! event's; a name of the configuration does so too.

use std::{fs, time::Duration};

use llm_observe::{Observer, config::Config, observe};
use llm_observe_tests::folder::Folder;

#[observe(event = "login", fields(password = %text, pin = 4821_u64, card_number = 4111_i64, tenant = "acme", max_tokens = 5_u64, patient = %text))]
fn login(text: &str) -> usize {
    tracing::info!(
        api_key = text,
        otp = 482_913_u64,
        tokens = 17_u64,
        "an event"
    );
    text.len()
}

#[test]
fn fields_with_telling_names_leave_no_value() {
    let folder = Folder::new();
    let text = format!(
        r#"
        [log]
        dir = {:?}
        format = "json"
        console = "never"
        [redact]
        keys = ["patient"]
        [server]
        listen = "off"
        "#,
        folder.path()
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    assert_eq!(login("swordfish"), 9);
    let flushed = observer.flush(Duration::from_secs(20));
    assert!(flushed.is_complete(), "{flushed:?}");
    drop(observer);
    let mut all = String::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "log") {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    for secret in ["swordfish", "4821", "4111", "482913"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    for kept in ["acme", "\"max_tokens\":5", "\"tokens\":17"] {
        assert!(all.contains(kept), "no {kept} in {all}");
    }
    assert_eq!(all.matches("[redacted]").count(), 6, "{all}");
}
