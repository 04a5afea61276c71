//! The alerts of a report.

use super::numbers::cells;
use crate::reader::briefing::BriefedAlert;
use crate::reader::names::Language;

/// The largest number of alerts of a page.
const ALERTS_MAX: usize = 20;

/// The section of alerts about the month; a home without rules has none.
pub fn alerts(all: Option<&[BriefedAlert]>, language: Language) -> String {
    let Some(all) = all else { return String::new() };
    let text = |english: &'static str, chinese: &'static str| text(language, [english, chinese]);
    let title = text("Alerts", "预警");
    if all.is_empty() {
        let none = text("No alert is about this month.", "本月没有预警。");
        return format!("<section>\n<h2>{title}</h2>\n<p>{none}</p>\n</section>\n");
    }
    let head = [text("Alert and cause", "预警与原因"), text("State", "状态")];
    let mut lines = vec![cells("th", &head.map(str::to_owned))];
    lines.extend(all.iter().take(ALERTS_MAX).map(|of| row(of, language)));
    let n_more = all.len().saturating_sub(ALERTS_MAX);
    let more = match (n_more, language == Language::English) {
        (0, _) => String::new(),
        (n, true) => format!("<p class=\"note\">{n} more: spillover alerts list</p>\n"),
        (n, false) => format!("<p class=\"note\">另有 {n} 条：spillover alerts list</p>\n"),
    };
    format!(
        "<section>\n<h2>{title}</h2>\n<table class=\"texts\">\n{}</table>\n{more}</section>\n",
        lines.concat()
    )
}

/// A text in a language.
fn text(language: Language, [english, chinese]: [&str; 2]) -> &str {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

fn row(of: &BriefedAlert, language: Language) -> String {
    let sentence = text(language, [&of.text, &of.text_zh]).to_owned();
    let state = match (of.has_ended, of.is_acknowledged) {
        (true, _) => text(language, ["ended", "已解除"]),
        (false, true) => text(language, ["raised, acknowledged", "未解除，已确认"]),
        (false, false) => text(language, ["raised", "未解除"]),
    };
    let day = of.raised_at.get(..10).unwrap_or(&of.raised_at);
    cells("td", &[sentence, format!("{state} · {day}")])
}
