//! What others added to the objects of a plan and may keep there.

use super::super::document::blame;
use super::super::layout::{pad, safe, width};
use super::super::measure::count;
use super::super::style::Meaning;
use super::PlanView;
use super::change::added;
use crate::desired::ObjectKey;
use crate::engine::{Plan, PlannedService};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A line for each field of a service's objects: the object, the field, who added it.
pub(super) fn lines(service: &PlannedService, view: &PlanView) -> String {
    let fields = service.foreign.iter().flat_map(|(key, fields)| {
        let object = safe(&key.short()).into_owned();
        fields.iter().map(move |(path, by)| {
            let path = safe(&path.to_string()).into_owned();
            (object.clone(), path, added(by, Some(view.now)))
        })
    });
    let rows: Vec<(String, String, String)> = fields.collect();
    let widest = |column: fn(&(String, String, String)) -> &str| {
        let widths = rows.iter().map(|row| width(column(row)));
        widths.max().unwrap_or(0)
    };
    let (first, second) = (widest(|row| &row.0), widest(|row| &row.1));
    let sign = view.palette.paint(Meaning::Faint, "foreign");
    let mut out = String::new();
    for (object, path, by) in &rows {
        let (object, path) = (pad(object, first), pad(path, second));
        let _ = writeln!(out, "  {sign}  {object}  {path}  {by}");
    }
    out
}

/// That there are such fields, and how to see them; nothing where there are none.
pub(super) fn note(plan: &Plan) -> String {
    match plan.foreign() {
        0 => String::new(),
        1 => "1 field that others added is left as it is; -v lists it.\n".to_owned(),
        more => format!(
            "{} that others added are left as they are; -v lists them.\n",
            count(more, "field")
        ),
    }
}

/// The fields of one object, for programs.
pub(super) fn json(service: &PlannedService, key: &ObjectKey) -> Value {
    let fields = service.foreign.get(key).into_iter().flatten();
    fields
        .map(|(path, by)| json!({"path": path.to_string(), "by": blame(by, None)}))
        .collect()
}
