//! What each variable may say. Errors are the remedy, for the person who reads the line.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;

use ipnet::IpNet;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::secrets::Key;
use crate::upstream::redact;

const TOKEN_MIN_CHARACTERS: usize = 16;

/// The address of a server, which may hold a password: printed without it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// An address as it was written.
    pub fn new(text: impl Into<String>) -> Address {
        Address(text.into())
    }

    /// The whole address, password included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A web origin, spelled as browsers spell it: `https://pulse.example.com`, no slash behind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin as a browser sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        let no_origin =
            || format!("{text:?} is no origin; give scheme://host:port, separated by commas");
        let url = Url::parse(text).map_err(|_| no_origin())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !is_web(&url) {
            return Err(no_origin());
        }
        Ok(Origin(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// For whom the logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// People when a terminal shows them, else machines.
    Auto,
    /// People.
    Pretty,
    /// Machines.
    Json,
}

pub(super) fn database(text: &str) -> Result<Address, String> {
    address(
        text,
        &["sqlite:", "postgres://", "postgresql://"],
        "sqlite:path/to/file.db or postgres://user:password@host/name",
    )
}

pub(super) fn queue(text: &str) -> Result<Address, String> {
    address(
        text,
        &["memory:", "amqp://", "amqps://"],
        "memory: or amqp://user:password@host:5672/%2f",
    )
}

pub(super) fn cache(text: &str) -> Result<Address, String> {
    address(text, &["memory:", "redis://", "rediss://"], "memory: or redis://:password@host:6379/0")
}

fn address(text: &str, starts: &[&str], example: &str) -> Result<Address, String> {
    if !starts.iter().any(|start| text.starts_with(start)) {
        return Err(format!("give {example}"));
    }
    Ok(Address::new(text))
}

pub(super) fn web_url(text: &str) -> Result<Url, String> {
    Url::parse(text).ok().filter(is_web).ok_or_else(|| "give an http:// or https:// URL".to_owned())
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

pub(super) fn host(text: &str) -> Result<String, String> {
    url::Host::parse(text)
        .map(|_| text.to_owned())
        .or_else(|_| text.parse::<IpAddr>().map(|ip| ip.to_string()))
        .map_err(|_| "give an address or a host name, such as 0.0.0.0".to_owned())
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "give a number from 0 to 65535".to_owned())
}

pub(super) fn installation(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if text.len() > 64 || !text.chars().all(is_plain) {
        return Err("give a short name of small letters, digits, - and _".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn pem(text: &str) -> Result<String, String> {
    if !text.starts_with("-----BEGIN ") {
        return Err("give the text of a PEM file, which starts with -----BEGIN".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=1024).contains(count))
        .ok_or_else(|| "give a number from 1 to 1024".to_owned())
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

pub(super) fn key(text: &str) -> Result<Key, String> {
    text.parse().map_err(|error: crate::secrets::Error| error.to_string())
}

pub(super) fn keys(text: &str) -> Result<Vec<Key>, String> {
    listed(text).map(key).collect()
}

pub(super) fn token(text: &str) -> Result<SecretString, String> {
    // It travels in a header.
    let is_plain = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if text.len() < TOKEN_MIN_CHARACTERS || !is_plain {
        return Err(format!("give at least {TOKEN_MIN_CHARACTERS} characters of plain ASCII"));
    }
    Ok(SecretString::from(text))
}

pub(super) fn timezone(text: &str) -> Result<String, String> {
    chrono_tz::Tz::from_str(text)
        .map(|zone| zone.name().to_owned())
        .map_err(|_| "give an IANA name such as Europe/Berlin or UTC".to_owned())
}

pub(super) fn log_level(text: &str) -> Result<String, String> {
    // Other languages say WARNING and CRITICAL where tracing says WARN and ERROR.
    let text = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn",
        "critical" | "fatal" => "error",
        _ => text,
    };
    EnvFilter::try_new(text).map_err(|_| {
        "give error, warn, info, debug or trace, or directives such as info,platform=debug"
            .to_owned()
    })?;
    Ok(text.to_owned())
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.to_ascii_lowercase().as_str() {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err("write pretty or json".to_owned()),
    }
}

pub(super) fn origins(text: &str) -> Result<Vec<Origin>, String> {
    listed(text).map(str::parse).collect()
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    listed(text).map(network).collect()
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        format!("{text:?} is no network; give networks such as 10.0.0.0/8, separated by commas")
    })
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}
