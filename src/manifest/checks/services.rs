//! Services among each other: names that collide, dependencies that cannot be met.

use super::super::document::ServiceTable;
use super::super::problem::Problem;
use super::super::source::Spot;
use super::super::{names, nearest};

/// Checks all services together.
pub(super) fn check(tables: &[ServiceTable], problems: &mut Vec<Problem>) {
    for table in tables {
        check_name(table, problems);
        check_dependencies(table, tables, problems);
    }
    check_circles(tables, problems);
}

fn check_name(table: &ServiceTable, problems: &mut Vec<Problem>) {
    let why = match names::label(&table.name) {
        Err(why) => why,
        // In environment variables two underscores stand between a name and what is below it.
        Ok(()) if table.name.contains("--") => "cannot hold `--`".to_owned(),
        Ok(()) => return,
    };
    let message = format!("the name of a service, `{}`, {why}", table.name);
    problems.push(
        table
            .spec_source
            .error(Spot::default(), message)
            .hint("rename the folder"),
    );
}

fn check_dependencies(table: &ServiceTable, all: &[ServiceTable], problems: &mut Vec<Problem>) {
    for (index, name) in table.spec.depends_on.iter().enumerate() {
        let spot = dependency_spot(table, index, name);
        if *name == table.name {
            let message = "a service cannot depend on itself";
            problems.push(table.spec_source.error(spot, message));
        } else if !all.iter().any(|other| other.name == *name) {
            let known: Vec<&str> = all.iter().map(|other| other.name.as_str()).collect();
            let problem = table
                .spec_source
                .error(spot, format!("no service `{name}`"));
            problems.push(problem.maybe_hint(nearest::hint(name, &known)));
        }
    }
}

fn check_circles(tables: &[ServiceTable], problems: &mut Vec<Problem>) {
    for table in tables {
        let mut way = vec![table.name.as_str()];
        // Only the circle's first name reports it, so that each is reported once.
        if let Some(circle) = circle(tables, &mut way)
            && circle.iter().min() == Some(&circle[0])
        {
            let index = table
                .spec
                .depends_on
                .iter()
                .position(|name| Some(name.as_str()) == circle.get(1).copied());
            let spot = dependency_spot(table, index.unwrap_or(0), circle[1]);
            let message = format!("a circle of dependencies: {}", circle.join(" → "));
            problems.push(table.spec_source.error(spot, message));
        }
    }
}

/// A way along dependencies from the first name back to it.
fn circle<'a>(tables: &'a [ServiceTable], way: &mut Vec<&'a str>) -> Option<Vec<&'a str>> {
    let last = *way.last()?;
    let table = tables.iter().find(|table| table.name == last)?;
    for next in &table.spec.depends_on {
        if next == way[0] && way.len() > 1 {
            return Some(way.iter().copied().chain([way[0]]).collect());
        }
        if way.contains(&next.as_str()) {
            continue;
        }
        way.push(next);
        if let Some(found) = circle(tables, way) {
            return Some(found);
        }
        way.pop();
    }
    None
}

fn dependency_spot(table: &ServiceTable, index: usize, name: &str) -> Spot {
    let line = table.spec.line_of(&format!("depends_on[{index}]"));
    let line = line
        .or_else(|| table.spec.line_of("depends_on"))
        .unwrap_or(1);
    let text = table.spec_source.text.split_inclusive('\n');
    let offset = text
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let start = Spot {
        line,
        column: 1,
        width: 1,
        offset,
    };
    table.spec_source.find(start, name, 0)
}
