use super::samples::*;
use super::*;
#[test]
fn look() {
    println!("{}", text(&plan(), &view()));
    println!(
        "{}",
        text(
            &plan(),
            &PlanView {
                width: Some(60),
                ..view()
            }
        )
    );
    println!(
        "{}",
        text(
            &plan(),
            &PlanView {
                verbose: true,
                ..view()
            }
        )
    );
    println!("{}", markdown(&plan(), &view()));
}
