use super::*;

fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsV1": fields})
}

fn wanted() -> Value {
    json!({"apiVersion": "apps/v1", "metadata": {"name": "web"}, "spec": {"template": {"spec": {
        "containers": [{"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}]}],
        "volumes": [{"name": "scratch", "emptyDir": {}}]}}}})
}

fn ours() -> Value {
    let containers = json!({"k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:image": {},
        "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}}}});
    let volumes = json!({"k:{\"name\":\"scratch\"}": {".": {}, "f:name": {}, "f:emptyDir": {}}});
    let fields = json!({"f:spec": {"f:template": {"f:spec": {
        "f:containers": containers, "f:volumes": volumes}}}});
    entry("us", "Apply", &fields)
}

/// The wanted object with what `change` makes of it, and these entries beside ours.
fn live(entries: &[Value], change: impl Fn(&mut Value)) -> Value {
    let mut live = wanted();
    let all: Vec<Value> = std::iter::once(ours()).chain(entries.to_vec()).collect();
    live["metadata"]["resourceVersion"] = "7".into();
    change(&mut live);
    live["metadata"]["managedFields"] = all.into();
    live
}

fn said(live: &Value) -> Vec<String> {
    let found = additions(live, &wanted(), "us");
    found
        .iter()
        .map(|one| format!("{} {}", one.path, one.by.manager))
        .collect()
}

fn spec(fields: &Value) -> Value {
    json!({"f:spec": {"f:template": {"f:spec": fields}}})
}

#[test]
fn a_sidecar_a_variable_and_a_label_are_additions_by_name() {
    let containers = json!({
        "k:{\"name\":\"side\"}": {".": {}, "f:name": {}, "f:image": {}},
        "k:{\"name\":\"web\"}": {"f:image": {},
            "f:env": {"k:{\"name\":\"B\"}": {".": {}, "f:name": {}, "f:value": {}}}}});
    let mut fields = spec(&json!({"f:containers": containers}));
    fields["f:metadata"] = json!({"f:labels": {".": {}, "f:theirs": {}}});
    let object = live(&[entry("kubectl-edit", "Update", &fields)], |live| {
        live["metadata"]["labels"] = json!({"theirs": "x"});
        let pod = &mut live["spec"]["template"]["spec"]["containers"];
        pod[0]["env"] = json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]);
        *pod = json!([{"name": "side", "image": "x"}, pod[0]]);
    });
    assert_eq!(
        said(&object),
        [
            "metadata.labels.theirs kubectl-edit",
            "spec.template.spec.containers[side] kubectl-edit",
            "spec.template.spec.containers[web].env[B] kubectl-edit",
        ]
    );
    let patch = stripping("7", &additions(&object, &wanted(), "us"));
    assert_eq!(
        patch,
        json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
            {"op": "remove", "path": "/spec/template/spec/containers/1/env/0"},
            {"op": "remove", "path": "/spec/template/spec/containers/0"},
            {"op": "remove", "path": "/metadata/labels/theirs"},
        ])
    );
}

#[test]
fn what_is_wanted_is_no_addition_whoever_owns_it_now() {
    let fields = spec(
        &json!({"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {},
        "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:value": {}}}}},
        "f:volumes": {"k:{\"name\":\"scratch\"}": {"f:emptyDir": {"f:medium": {}}}}}),
    );
    let object = live(&[entry("kubectl-edit", "Update", &fields)], |live| {
        live["spec"]["template"]["spec"]["volumes"][0]["emptyDir"] = json!({"medium": "Memory"});
    });
    assert_eq!(said(&object), Vec::<String>::new());
}

#[test]
fn what_a_controller_a_subresource_or_a_webhook_has_a_part_in_is_left_out() {
    let label = json!({"f:metadata": {"f:labels": {".": {}, "f:a": {}, "f:b": {}}}});
    let theirs = entry("kubectl-label", "Update", &label);
    let change = |live: &mut Value| live["metadata"]["labels"] = json!({"a": "1", "b": "2"});
    let both = [
        "metadata.labels.a kubectl-label",
        "metadata.labels.b kubectl-label",
    ];
    assert_eq!(said(&live(std::slice::from_ref(&theirs), change)), both);
    let b = json!({"f:metadata": {"f:labels": {"f:b": {}}}});
    let mut status = entry("kubectl-patch", "Update", &b);
    status["subresource"] = "status".into();
    let mut older = entry("kubectl-edit", "Update", &b);
    older["apiVersion"] = "apps/v1beta1".into();
    for other in [
        entry("kube-controller-manager", "Update", &b),
        entry("us", "Update", &b),
        status,
        older,
    ] {
        let object = live(&[theirs.clone(), other.clone()], change);
        assert_eq!(said(&object), both[..1], "{other}");
        assert_eq!(said(&live(&[other], change)), Vec::<String>::new());
    }
}

#[test]
fn a_struct_that_came_as_a_whole_is_one_addition_and_a_changed_default_is_a_field() {
    let probe = json!({".": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}}});
    let fields = spec(
        &json!({"f:containers": {"k:{\"name\":\"web\"}": {"f:livenessProbe": probe}},
        "f:securityContext": {"f:runAsUser": {}}}),
    );
    let change = |live: &mut Value| {
        let pod = &mut live["spec"]["template"]["spec"];
        pod["containers"][0]["livenessProbe"] =
            json!({"httpGet": {"path": "/", "port": 1, "scheme": "HTTP"}, "periodSeconds": 10});
        pod["securityContext"] = json!({"runAsUser": 5});
    };
    let by = |operation| said(&live(&[entry("kubectl-edit", operation, &fields)], change));
    let probe = "spec.template.spec.containers[web].livenessProbe kubectl-edit";
    assert_eq!(
        by("Update"),
        [
            probe,
            "spec.template.spec.securityContext.runAsUser kubectl-edit"
        ]
    );
    assert_eq!(
        by("Apply"),
        [probe, "spec.template.spec.securityContext kubectl-edit"]
    );
}

#[test]
fn of_two_who_added_the_same_the_later_is_named_and_what_lies_within_goes_along() {
    let outer = json!({"f:containers": {"k:{\"name\":\"side\"}": {".": {}, "f:name": {}}}});
    let inner = json!({"f:containers": {"k:{\"name\":\"side\"}": {"f:image": {}}}});
    let dated = |manager: &str, time: &str, fields: &Value| {
        let mut entry = entry(manager, "Update", &spec(fields));
        entry["time"] = time.into();
        entry
    };
    let entries = [
        dated("first", "2026-01-01T00:00:00Z", &outer),
        dated("second", "2026-01-03T00:00:00Z", &outer),
        dated("third", "2026-01-04T00:00:00Z", &inner),
    ];
    let object = live(&entries, |live| {
        let containers = live["spec"]["template"]["spec"]["containers"].as_array_mut();
        containers
            .unwrap()
            .push(json!({"name": "side", "image": "x"}));
    });
    assert_eq!(said(&object).len(), 1, "{:?}", said(&object));
    assert!(said(&object)[0].starts_with("spec.template.spec.containers[side] "));
}

#[test]
fn a_port_of_another_protocol_is_another_port() {
    let wanted = json!({"spec": {"ports": [{"port": 53}]}});
    let fields = json!({"f:spec": {"f:ports": {"k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}},
        "k:{\"port\":53,\"protocol\":\"TCP\"}": {".": {}, "f:nodePort": {}}}}});
    let mut object = json!({"spec": {"ports": [
        {"port": 53, "protocol": "TCP", "nodePort": 30000}, {"port": 53, "protocol": "UDP"}]}});
    let mut theirs = entry("kubectl-edit", "Update", &fields);
    theirs["apiVersion"] = Value::Null;
    theirs.as_object_mut().unwrap().remove("apiVersion");
    object["metadata"]["managedFields"] = json!([theirs]);
    let found = additions(&object, &wanted, "us");
    let paths: Vec<String> = found.iter().map(|one| one.path.to_string()).collect();
    assert_eq!(paths, ["spec.ports[53/TCP].nodePort", "spec.ports[53/UDP]"]);
}
