use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome};
use domain::ids::IntegrationId;
use uuid::Uuid;

use super::*;

const HERE: IntegrationId = IntegrationId(Uuid::nil());
const PAY: Place = (HERE, 1);
const WEB: Place = (HERE, 2);

fn sha(beginning: &str) -> String {
    format!("{beginning:0<40}")
}

fn deployment(place: Place, source: Source, id: &str, name: &str, sha: String) -> DeploymentFact {
    let at = Moment::from_timestamp(1_770_000_000, 0).unwrap();
    DeploymentFact {
        integration: place.0,
        repository: place.1,
        source,
        told: Deployment {
            external_id: id.to_owned(),
            environment: name.to_owned(),
            sha,
            outcome: DeploymentOutcome::Success,
            created_at: at,
            finished_at: Some(at),
            estimated: false,
        },
        environment: Some("production".to_owned()),
        reason: None,
        previous: None,
        rollback: false,
        rolled_back: false,
        pull_requests: 0,
        incidents: 0,
        succeeded_at: Some(at),
    }
}

#[test]
fn a_deployment_is_found_by_its_id_its_commit_its_tag_or_an_address() {
    let staging = DeploymentFact {
        environment: Some("staging".to_owned()),
        ..deployment(PAY, Source::Deployments, "412", "staging", sha("cccccccc"))
    };
    let failed = DeploymentFact {
        succeeded_at: None,
        ..deployment(PAY, Source::Deployments, "413", "production", sha("dddddddd"))
    };
    let deployments: BTreeMap<DeploymentRef, DeploymentFact> = [
        deployment(PAY, Source::Deployments, "411", "production", sha("abcdef12")),
        deployment(WEB, Source::Deployments, "511", "production", sha("abcdef12")),
        deployment(PAY, Source::Api, "api:build-7", "live", sha("1111111")),
        deployment(PAY, Source::WorkflowRuns, "run:5001", "deploy", sha("2222222")),
        deployment(PAY, Source::Releases, "release:6001", "v1.8.0", sha("3333333")),
        staging,
        failed,
    ]
    .into_iter()
    .map(|fact| {
        let id = fact.told.external_id.clone();
        (DeploymentRef { integration: fact.integration, repository: fact.repository, id }, fact)
    })
    .collect();
    let pull = |place, number, merge_sha: &str, deployment: &str| Shipped {
        repository: place,
        number,
        merge_sha: Some(sha(merge_sha)),
        deployment: deployment.to_owned(),
    };
    let pull_requests = [pull(PAY, 12, "4444444", "411"), pull(WEB, 12, "5555555", "511")];
    let names = [(PAY, "acme/pay".to_owned()), (WEB, "acme/web".to_owned())].into_iter().collect();
    let sought = Sought { names, ..Sought::default() };
    let names = Names::new(&sought, &deployments, &pull_requests);
    let cases: &[(&str, &[&str])] = &[
        ("411", &["411"]),
        (" 411 ", &["411"]),
        ("build-7", &["api:build-7"]),
        ("run:5001", &["run:5001"]),
        ("ABCDEF1", &["411", "511"]),
        ("abcdef", &[]),
        ("V1.8.0", &["release:6001"]),
        ("4444444", &["411"]),
        ("412", &[]),
        ("413", &[]),
        ("cccccccc", &[]),
        ("nothing", &[]),
        ("https://github.com/acme/pay/pull/12", &["411"]),
        ("https://github.com/Acme/WEB/pull/12/files?w=1#top", &["511"]),
        ("https://github.com/acme/pay/pull/13", &[]),
        ("https://api.github.com/repos/acme/pay/deployments/411", &["411"]),
        ("https://api.github.com/repos/acme/web/deployments/411", &[]),
        ("https://git.acme.example/acme/pay/actions/runs/5001", &["run:5001"]),
        ("https://github.com/acme/pay/releases/tag/v1.8.0", &["release:6001"]),
        ("https://github.com/acme/web/commit/abcdef1", &["511"]),
        ("https://example.com/", &[]),
    ];
    for (text, expected) in cases {
        let found = names.of(&Reference::read(text));
        let found: Vec<&str> = found.iter().map(|at| at.id.as_str()).collect();
        assert_eq!(found, *expected, "{text}");
    }
}
