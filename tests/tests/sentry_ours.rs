//! A program that has initialised Sentry by itself, and names a project of ours besides.

use std::{sync::Arc, time::Duration};

use llm_observe::{Observer, observe};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
};
use sentry::{Client, ClientOptions, Hub, test::TestTransport};

#[observe]
fn fail() -> Result<(), String> {
    Err("no model answers".to_owned())
}

#[test]
fn a_project_of_the_configuration_is_reported_to_past_the_programs_own_client() {
    let transport = TestTransport::new();
    let options = ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .transport(transport.clone());
    Hub::main().bind_client(Some(Arc::new(Client::from(options))));

    let listener = Listener::start(Reply::status(200, "{}"));
    let folder = Folder::new();
    let dsn = folder.write("dsn", &format!("http://public@{}/42", listener.address()));
    let config = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n[trackers.sentry]\ndsn = \"file:{}\"\n",
        folder.path(),
        dsn.display()
    );
    let config = folder.write("config.toml", &config);
    let observer = Observer::builder().config_file(config).install().unwrap();
    fail().unwrap_err();
    assert_eq!(observer.flush(Duration::from_secs(20)).delivered, 1);
    assert_eq!(
        listener.requests()[0].line,
        "POST /api/42/envelope/ HTTP/1.1"
    );
    assert!(transport.fetch_and_clear_envelopes().is_empty());
}
