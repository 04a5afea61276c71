//! The alerts of a report.

use super::Report;
use super::numbers::cells;
use crate::reader::briefing::BriefedAlert;

/// The largest number of alerts of a page.
const ALERTS_MAX: usize = 20;

/// The section of alerts about the month; a home without rules has none.
pub fn alerts(report: &Report<'_>) -> String {
    let Some(all) = &report.of.alerts else { return String::new() };
    let title = report.text("Alerts", "预警");
    if all.is_empty() {
        let none = report.text("No alert is about this month.", "本月没有预警。");
        return format!("<section>\n<h2>{title}</h2>\n<p>{none}</p>\n</section>\n");
    }
    let head = [report.text("Alert and cause", "预警与原因"), report.text("State", "状态")];
    let mut lines = vec![cells("th", &head.map(str::to_owned))];
    lines.extend(all.iter().take(ALERTS_MAX).map(|of| row(report, of)));
    let n_more = all.len().saturating_sub(ALERTS_MAX);
    let more = match (n_more, report.is_english()) {
        (0, _) => String::new(),
        (n, true) => format!("<p class=\"note\">{n} more: spillover alerts list</p>\n"),
        (n, false) => format!("<p class=\"note\">另有 {n} 条：spillover alerts list</p>\n"),
    };
    format!(
        "<section>\n<h2>{title}</h2>\n<table class=\"texts\">\n{}</table>\n{more}</section>\n",
        lines.concat()
    )
}

fn row(report: &Report<'_>, of: &BriefedAlert) -> String {
    let text = report.text(&of.text, &of.text_zh).to_owned();
    let state = match (of.has_ended, of.is_acknowledged) {
        (true, _) => report.text("ended", "已解除"),
        (false, true) => report.text("raised, acknowledged", "未解除，已确认"),
        (false, false) => report.text("raised", "未解除"),
    };
    let day = of.raised_at.get(..10).unwrap_or(&of.raised_at);
    cells("td", &[text, format!("{state} · {day}")])
}
