//! Which addresses outgoing requests may reach. The check is on the address that is connected to,
//! so neither a name, a redirect nor a second look-up leads around it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Networks of version 4 that are not the public internet, and one cloud's metadata service that
/// hides in it.
const CLOSED_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// Networks of version 6 inside the public 2000::/3 that lead elsewhere: Teredo, ORCHID,
/// documentation, 6to4.
const CLOSED_V6: &[&str] =
    &["2001::/32", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20"];

static NETWORKS_V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| parsed(CLOSED_V4));
static NETWORKS_V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| parsed(CLOSED_V6));

fn parsed<N: std::str::FromStr<Err: std::fmt::Debug>>(networks: &[&str]) -> Vec<N> {
    networks.iter().map(|text| text.parse().expect("a network we wrote ourselves")).collect()
}

/// Why an address may not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither http nor https, or no host.
    #[error("{url} is not an http or https address")]
    Scheme {
        /// The address, without secrets.
        url: String,
    },
    /// The address carries a name or password of its own.
    #[error("the address of {host} must not contain a user name or password")]
    Credentials {
        /// Whose address it is.
        host: String,
    },
    /// It lies in a network that is not public.
    #[error("{host} is in a private or reserved network; UPSTREAM_ALLOW can permit it")]
    Network {
        /// The name or address that was asked for.
        host: String,
    },
}

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// Lets public addresses pass, and the networks it was given.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Rule>);

#[derive(Debug)]
enum Rule {
    Public { allowed: Vec<IpNet> },
    Anywhere,
}

impl Guard {
    /// Public addresses and these networks.
    pub fn new(allowed: impl Into<Vec<IpNet>>) -> Guard {
        Guard(Arc::new(Rule::Public { allowed: allowed.into() }))
    }

    /// Every address: for those that the operator configured, never for what a user typed.
    pub fn anywhere() -> Guard {
        Guard(Arc::new(Rule::Anywhere))
    }

    /// Whether this address may be connected to.
    pub fn permits(&self, address: IpAddr) -> bool {
        let Rule::Public { allowed } = &*self.0 else { return true };
        let address = unwrapped(address);
        allowed.iter().any(|network| network.contains(&address)) || is_public(address)
    }

    /// Whether this URL may be asked, as far as can be told before its name is resolved.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        let Some(host) = url.host().filter(|_| matches!(url.scheme(), "http" | "https")) else {
            return Err(Refused::Scheme { url: super::redact(url.as_str()) });
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials { host: host.to_string() });
        }
        // The parser has already turned 0x7f.1, 017700000001 and 2130706433 into 127.0.0.1.
        let literal = match host {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if !self.permits(literal) {
            return Err(Refused::Network { host: host.to_string() });
        }
        Ok(())
    }

    async fn addresses_of(self, host: String) -> Result<Vec<SocketAddr>, BoxedError> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
        let permitted: Vec<SocketAddr> =
            found.iter().copied().filter(|address| self.permits(address.ip())).collect();
        if permitted.is_empty() && !found.is_empty() {
            return Err(Refused::Network { host }.into());
        }
        Ok(permitted)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses_of(name.as_str().to_owned());
        Box::pin(async move { Ok(Box::new(addresses.await?.into_iter()) as Addrs) })
    }
}

/// The address that traffic really goes to: out of IPv4-mapped and NAT64 wrappings.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => IpAddr::V4(joined(high, low)),
        _ => address,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !NETWORKS_V4.iter().any(|network| network.contains(&v4)),
        IpAddr::V6(v6) => {
            is_global_unicast(v6) && !NETWORKS_V6.iter().any(|network| network.contains(&v6))
        }
    }
}

/// 2000::/3; loopback, link-local, unique local and multicast all lie outside.
fn is_global_unicast(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(guard: &Guard, url: &str) -> bool {
        guard.check(&Url::parse(url).unwrap()).is_err()
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        let guard = Guard::new([]);
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://0x7f.0.0.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0/",
            "http://10.1.2.3/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0xA9FEA9FE/",
            "http://172.31.255.255/",
            "http://192.168.0.1/",
            "http://192.0.0.192/",
            "http://198.19.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://①②⑦.0.0.1/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[64:ff9b:1::10.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
            "http://[fc00::1]/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
            "http://[2001:db8::1]/",
            "http://user@api.example.com/",
            "http://:password@api.example.com/",
            "ftp://api.example.com/",
            "file:///etc/passwd",
            "data:text/plain,hello",
        ] {
            assert!(refuses(&guard, url), "{url}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        let guard = Guard::new([]);
        for url in [
            "https://api.github.com/graphql",
            "https://acme.atlassian.net",
            "http://140.82.112.5/",
            "http://172.32.0.1/",
            "http://[2606:50c0:8000::153]/",
            "http://[64:ff9b::140.82.112.5]/",
        ] {
            assert!(!refuses(&guard, url), "{url}");
        }
    }

    #[test]
    fn allowed_networks_pass_and_nothing_beside_them() {
        let guard = Guard::new(["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (url, refused) in [
            ("http://10.1.2.3/", false),
            ("http://[::ffff:10.1.2.3]/", false),
            ("http://10.2.0.1/", true),
            ("http://[fd12::1]/", false),
            ("http://[fe80::1]/", true),
            ("http://user@10.1.2.3/", true),
        ] {
            assert_eq!(refuses(&guard, url), refused, "{url}");
        }
    }

    #[test]
    fn anywhere_still_wants_a_web_address() {
        assert!(!refuses(&Guard::anywhere(), "http://127.0.0.1/"));
        assert!(refuses(&Guard::anywhere(), "file:///etc/passwd"));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        let refused = Guard::new([]).addresses_of("localhost".to_owned()).await.unwrap_err();
        let network = Refused::Network { host: "localhost".to_owned() };
        assert_eq!(refused.downcast_ref(), Some(&network));

        let allowed = Guard::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(!allowed.addresses_of("localhost".to_owned()).await.unwrap().is_empty());
    }
}
