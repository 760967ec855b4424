use super::*;
use crate::desired::Resource;

const SOURCE: Fingerprint = Fingerprint(7);

fn instance() -> Instance {
    Instance {
        name: "jsorc".into(),
        namespace: "prod".into(),
    }
}

fn service_inputs() -> ServiceInputs {
    ServiceInputs {
        name: "web".into(),
        namespace: "prod".into(),
        kept: true,
        has_manifests: true,
        gives_namespaces: false,
        depends: false,
        strips: false,
        selected: true,
        source: SOURCE,
    }
}

/// Autoscalers by name and the version of their kind in which they were applied.
fn inventory(objects: &[(&str, &str)]) -> Inventory {
    let mut inventory = Inventory::empty("web".into(), "prod");
    for (name, version) in objects {
        let resource = Resource {
            group: "autoscaling".into(),
            version: (*version).into(),
            kind: "HorizontalPodAutoscaler".into(),
            plural: "horizontalpodautoscalers".into(),
            namespaced: true,
        };
        let applied = Applied {
            uid: format!("uid-{name}").into(),
            digest: Fingerprint(1),
            evidence: None,
            version: Some("5".into()),
            surface: None,
            conflicts: Vec::new(),
        };
        let record = Record {
            resource: resource.into(),
            applied: Some(applied),
            done: false,
        };
        let kind = "HorizontalPodAutoscaler";
        let key = ObjectKey::new("autoscaling", kind, Some("prod"), name);
        Arc::make_mut(&mut inventory.records).insert(key, record.into());
    }
    inventory.receipt = Some(Receipt {
        source: SOURCE,
        objects: objects.len(),
        unready: None,
    });
    inventory
}

fn matches_record(check: &UnchangedCheck<'_>, name: &str, version: &str) -> bool {
    let seen = ObjectVersion {
        name,
        namespace: Some("prod"),
        uid: &format!("uid-{name}"),
        resource_version: version,
    };
    check.matches_record(&check.collections()[0], seen, "{}")
}

#[test]
fn an_object_is_counted_once_whatever_versions_its_kind_has() {
    let (instance, services) = (instance(), [service_inputs()]);
    let inventories = [inventory(&[("a", "v1"), ("b", "v2")])];
    let orders = Orders::default();
    let check = UnchangedCheck::new(&instance, true, &services, &inventories, &orders).unwrap();
    assert_eq!(check.collections().len(), 1);
    assert!(matches_record(&check, "b", "5"));
    assert!(!matches_record(&check, "b", "6"));
    assert!(!matches_record(&check, "c", "5"));
    let now = jiff::Timestamp::UNIX_EPOCH;
    assert!(check.finish(1, now).is_none(), "a is missing");
    let found = check.finish(2, now).unwrap();
    // And the namespace that is made sure of.
    assert_eq!(found.plan.unchanged(), 3);
}

#[test]
fn the_check_needs_a_receipt_for_the_same_inputs() {
    let (instance, services) = (instance(), [service_inputs()]);
    let told = |services: &[ServiceInputs], inventories: &[Inventory], orders: &Orders| {
        UnchangedCheck::new(&instance, true, services, inventories, orders).is_some()
    };
    let orders = Orders::default();
    let good = [inventory(&[("a", "v2")])];
    assert!(told(&services, &good, &orders));
    let fewer = Inventory {
        records: Arc::default(),
        ..good[0].clone()
    };
    assert!(!told(&services, &[fewer], &orders));
    let otherwise = ServiceInputs {
        source: Fingerprint(8),
        ..service_inputs()
    };
    assert!(!told(&[otherwise], &good, &orders));
    let emptied = ServiceInputs {
        has_manifests: false,
        ..service_inputs()
    };
    assert!(!told(&[emptied], &good, &orders));
    assert!(!told(&services, &[], &orders));
    let stranger = Inventory {
        service: "gone".into(),
        ..good[0].clone()
    };
    assert!(!told(&services, &[good[0].clone(), stranger], &orders));
}
