//! Rules about the feed and about estimates: alerts that are raised while a problem is present.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::alert::{Alert, Outcome};
use super::evaluate::Step;
use super::rules::{Condition, Feed, Refused, Rule};
use super::states::States;
use super::text;
use crate::domain::finding::FindingKind;
use crate::domain::types::Period;
use crate::reader::{Reader, ReaderError, Status};
use crate::tables::meanings::Language;
use crate::tables::periods;

/// Hours of China Standard Time before UTC.
const CHINA_HOURS: i8 = 8;

/// A problem: its sentences in English and Chinese, and the month that it is about.
type Problem = (Option<Period>, [String; 2]);

/// Judges the rules without figures at the newest publication.
///
/// # Errors
/// [`ReaderError`] if the home cannot be read.
pub fn evaluate(
    reader: &mut Reader,
    rules: &[Rule],
    (step, now): (&Step, Timestamp),
    states: &mut States,
) -> Result<Outcome, ReaderError> {
    let mut outcome = Outcome::default();
    for rule in rules {
        let (present, events) = match &rule.condition {
            Condition::Figure(..) => continue,
            Condition::Feed(feed) => (of_feed(reader, feed, now)?, findings(reader, feed, step)?),
            Condition::Stale { days_max } => (stale(reader, *days_max, now)?, BTreeMap::new()),
        };
        take(rule, step, (present, events), states, &mut outcome);
    }
    Ok(outcome)
}

/// The alerts that rules without figures would have raised at past publications, as far as the home
/// stores what they read: late months, findings, and long gaps between publications.
///
/// # Errors
/// [`ReaderError`] if the home cannot be read.
pub fn replay(
    reader: &Reader,
    rules: &[Rule],
    (steps, now): (&[Step], Timestamp),
) -> Result<Outcome, ReaderError> {
    let mut outcome = Outcome::default();
    for rule in rules {
        let (events, missing) = match &rule.condition {
            Condition::Figure(..) => continue,
            Condition::Feed(feed) => {
                let mut events = match feed.late_days {
                    Some(days) => late_months(reader, days, (steps, now))?,
                    None => Vec::new(),
                };
                for (place, step) in steps.iter().enumerate() {
                    events.extend(findings(reader, feed, step)?.into_iter().map(|of| (place, of)));
                }
                (events, (feed.refused == Refused::Raise).then_some("refused files"))
            }
            Condition::Stale { days_max } => {
                let gaps = days_max.map(|days| gaps(reader, days, (steps, now))).transpose()?;
                (gaps.unwrap_or_default(), Some("when estimates became stale"))
            }
        };
        let alert = |(place, (key, problem)): (usize, (String, Problem))| {
            alert(rule, &steps[place], &key, problem)
        };
        outcome.alerts.extend(events.into_iter().map(alert));
        outcome.notes.extend(missing.map(|missing| {
            let name = &rule.name;
            format!("rule {name} is replayed in part: publications do not store {missing}")
        }));
    }
    outcome.alerts.sort_by_key(|alert| alert.vintage);
    Ok(outcome)
}

/// A problem with its key, at the place of a step.
type Event = (usize, (String, Problem));

/// The first month that each publication closed, if it came late; and the next month, if it is late
/// now. The alert is that of the publication before.
fn late_months(
    reader: &Reader,
    days: u32,
    (steps, now): (&[Step], Timestamp),
) -> Result<Vec<Event>, ReaderError> {
    let calendar = reader.calendar()?;
    let mut events = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let following = steps.get(place + 1);
        let month = match following {
            Some(following) => following.closed.first().copied(),
            None => calendar.iter().find(|of| of.closed_by.is_none()).map(|of| of.month),
        };
        let Some(month) = month.filter(|_| step.last_closed.is_some()) else { continue };
        let entry = calendar.iter().find(|of| of.month == month);
        let arrived = match following {
            Some(_) => entry.and_then(|of| of.committed_at),
            None => Some(now),
        };
        let n_days = arrived.and_then(|at| days_late(month, days, at));
        events.extend(n_days.map(|n_days| (place, late(month, n_days))));
    }
    Ok(events)
}

/// The gaps between two publications that are longer than a number of days.
fn gaps(
    reader: &Reader,
    days_max: u32,
    (steps, now): (&[Step], Timestamp),
) -> Result<Vec<Event>, ReaderError> {
    let times: BTreeMap<u32, Timestamp> = reader
        .vintages()?
        .into_iter()
        .filter_map(|of| Some((of.publication.0, of.committed_at?)))
        .collect();
    let at = |step: &Step| times.get(&step.publication).copied();
    let gap = |(place, step): (usize, &Step)| {
        let end = steps.get(place + 1).map_or(Some(now), at)?;
        let n_days = (end.as_second() - at(step)?.as_second()) / 86_400;
        (n_days > i64::from(days_max)).then(|| (place, no_publication(n_days)))
    };
    Ok(steps.iter().enumerate().filter_map(gap).collect())
}

/// The problem of a late month, with its key.
fn late(month: Period, n_days: i64) -> (String, Problem) {
    let [english, chinese] =
        [Language::English, Language::Chinese].map(|of| periods::month(month, of));
    let texts = [
        format!("The file of {english} is late by {}", days(n_days)),
        format!("{chinese}的数据文件已逾期 {n_days} 天"),
    ];
    (month.to_string(), (Some(month), texts))
}

/// The problem of a home without a new publication, with its key.
fn no_publication(n_days: i64) -> (String, Problem) {
    let texts = [
        format!("The home has had no new publication for {}", days(n_days)),
        format!("已有 {n_days} 天没有新的发布"),
    ];
    ("publication".to_owned(), (None, texts))
}

/// Takes over problems: those that are present, and those of this publication alone.
fn take(
    rule: &Rule,
    step: &Step,
    (present, events): (BTreeMap<String, Problem>, BTreeMap<String, Problem>),
    states: &mut States,
    outcome: &mut Outcome,
) {
    let own = states.iter().filter(|((name, _), state)| *name == rule.name && state.raised != 0);
    let gone: Vec<String> =
        own.map(|((_, key), _)| key.clone()).filter(|key| !present.contains_key(key)).collect();
    for key in gone {
        if let Some(state) = states.remove(&(rule.name.clone(), key)) {
            outcome.cleared.extend(state.alert);
        }
    }
    for (key, problem) in present {
        let state = states.entry((rule.name.clone(), key.clone())).or_default();
        if state.raised == 0 {
            let alert = alert(rule, step, &key, problem);
            (state.raised, state.alert) = (1, Some(alert.id.clone()));
            outcome.alerts.push(alert);
        }
    }
    for (key, problem) in events {
        outcome.alerts.push(alert(rule, step, &key, problem));
    }
}

fn alert(rule: &Rule, step: &Step, key: &str, (month, texts): Problem) -> Alert {
    let (name, vintage) = (&rule.name, step.vintage);
    let mut alert = Alert {
        id: Alert::id(name, key, month, vintage),
        rule: name.clone(),
        condition: rule.condition.name().to_owned(),
        key: key.to_owned(),
        month: month.map(Period::as_yyyymm),
        vintage: vintage.0,
        publication: step.publication,
        ..Alert::default()
    };
    let [english, chinese] = texts;
    alert.text = english + &text::ending(&alert, false);
    alert.text_zh = chinese + &text::ending(&alert, true);
    alert
}

/// A number of days.
fn days(n: i64) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{n} days") }
}

/// The problems of the feed that are present: a late month, and refused files.
fn of_feed(
    reader: &mut Reader,
    feed: &Feed,
    now: Timestamp,
) -> Result<BTreeMap<String, Problem>, ReaderError> {
    let mut problems = BTreeMap::new();
    if let Some(days) = feed.late_days {
        let next = reader.calendar()?.into_iter().find(|month| month.closed_by.is_none());
        let late = next.and_then(|next| Some((next.month, days_late(next.month, days, now)?)));
        problems.extend(late.map(|(month, n_days)| self::late(month, n_days)));
    }
    if feed.refused == Refused::Raise {
        let status = reader.status()?;
        let named = reader.refused()?;
        for file in &named {
            let (name, n) = (&file.name, file.n_rejected);
            let texts = [
                format!("The file {name} is refused; rejected lines: {n}"),
                format!("文件 {name} 被拒收，其中 {n} 行无效"),
            ];
            problems.insert(name.clone(), (Some(file.period), texts));
        }
        if let Some((key, texts)) = other_refusals(&status, named.len()) {
            problems.insert(key, (None, texts));
        }
    }
    Ok(problems)
}

/// Refused files that the home does not name: the watcher knows their number and the last reason.
fn other_refusals(status: &Status, n_named: usize) -> Option<(String, [String; 2])> {
    let beat = status.watcher.as_ref().filter(|_| status.watched)?;
    let n = beat.files_refused.checked_sub(n_named).filter(|n| *n > 0)?;
    let why = beat.error.as_deref().unwrap_or("see the log of the watcher");
    let texts = [
        format!("Refused files of the feed: {n}; the last problem: {why}"),
        format!("数据源中有 {n} 个文件被拒收；最近的问题：{why}"),
    ];
    Some((format!("{n} files"), texts))
}

/// The findings about files of a publication.
fn findings(
    reader: &Reader,
    feed: &Feed,
    step: &Step,
) -> Result<BTreeMap<String, Problem>, ReaderError> {
    let mut problems = BTreeMap::new();
    if feed.findings.is_empty() {
        return Ok(problems);
    }
    for of in reader.findings(Some(step.vintage))? {
        if of.vintage > step.before && feed.findings.contains(&of.finding) {
            let (file, finding, n) = (&of.file, of.finding, of.n);
            let [english, chinese] = in_words(finding);
            let texts = [
                format!("The file {file} has {english} ({finding}: {n})"),
                format!("文件 {file} 存在异常：{chinese}（{finding}：{n}）"),
            ];
            problems.insert(format!("{file} {finding}"), (Some(of.month), texts));
        }
    }
    Ok(problems)
}

/// A finding in English and Chinese.
fn in_words(finding: FindingKind) -> [&'static str; 2] {
    match finding {
        FindingKind::UnseenFirms => ["unusually many new firms", "新出现的企业异常多"],
        FindingKind::UnseenCountries => {
            ["unusually many new countries", "新出现的国家（地区）异常多"]
        }
        FindingKind::UnseenRegions => ["unusually many new regions", "新出现的地区异常多"],
        FindingKind::LateShare => ["mostly records of earlier months", "多数记录属于以前月份"],
        FindingKind::SameLines => ["lines of another file", "与另一文件有相同的行"],
        FindingKind::Aggregates => ["totals among their parts", "合计与分项并列"],
        FindingKind::NearCodes => ["codes that differ in form only", "仅书写形式不同的代码"],
        FindingKind::MixedEncoding => ["lines in another encoding", "部分行编码不同"],
        FindingKind::ThinMonth => ["months with few records", "记录过少的月份"],
        FindingKind::NamesPassedOver => ["neighbours that are passed over", "被跳过的同目录文件"],
    }
}

/// Estimates whose data have changed, and a home without a new publication.
fn stale(
    reader: &mut Reader,
    days_max: Option<u32>,
    now: Timestamp,
) -> Result<BTreeMap<String, Problem>, ReaderError> {
    let mut problems = BTreeMap::new();
    let models: BTreeSet<String> = reader.status()?.estimates.stale.into_iter().collect();
    for model in models {
        let texts = [
            format!("The estimate of model {model} is stale: its data have changed since"),
            format!("模型 {model} 的估计已过时：其数据此后有变化"),
        ];
        problems.insert(model, (None, texts));
    }
    let age = reader.committed_at()?.map(|at| (now.as_second() - at.as_second()) / 86_400);
    let old = age.zip(days_max).filter(|(age, most)| *age > i64::from(*most));
    problems.extend(old.map(|(n_days, _)| no_publication(n_days)));
    Ok(problems)
}

/// The number of days by which a month is late; `None` if it is not. Customs publish January and
/// February together.
fn days_late(month: Period, days: u32, now: Timestamp) -> Option<i64> {
    let due = if month.month() == 1 { month.next() } else { month };
    let year = i16::try_from(due.year().0).ok()?;
    let end = Date::new(year, i8::try_from(due.month()).ok()?, 1).ok()?.last_of_month();
    let due = end.checked_add(i64::from(days).days()).ok()?;
    let today = TimeZone::fixed(Offset::constant(CHINA_HOURS)).to_datetime(now).date();
    let n_days = i64::from(due.until(today).ok()?.get_days());
    (n_days > 0).then_some(n_days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::rules::Limits;
    use crate::domain::types::Vintage;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_month_is_late_after_its_days_and_january_with_february() {
        let month = |number| Period::new(2011, number).expect("a month");
        // 18 July 2011 ends at 16:00 UTC in China.
        assert_eq!(days_late(month(6), 18, at("2011-07-18T15:59:59Z")), None);
        assert_eq!(days_late(month(6), 18, at("2011-07-18T16:00:00Z")), Some(1));
        assert_eq!(days_late(month(1), 18, at("2011-03-18T00:00:00Z")), None);
        assert_eq!(days_late(month(1), 18, at("2011-03-20T00:00:00Z")), Some(2));
        assert_eq!(days_late(month(2), 18, at("2011-03-20T00:00:00Z")), Some(2));
    }

    #[test]
    fn a_problem_is_raised_once_while_it_is_present_and_an_event_each_time() {
        let condition = Condition::Stale { days_max: None };
        let rule = Rule { name: "s".to_owned(), condition, limits: Limits::default() };
        let mut states = States::new();
        let problem = || (None, [String::new(), String::new()]);
        let mut round = |vintage, present: &[&str], events: &[&str]| {
            let of =
                |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), problem())).collect();
            let mut outcome = Outcome::default();
            let at = Vintage(vintage);
            let (closed, last_closed) = (Vec::new(), None);
            let step = Step { before: at, vintage: at, publication: vintage, closed, last_closed };
            take(&rule, &step, (of(present), of(events)), &mut states, &mut outcome);
            let keys: Vec<String> = outcome.alerts.into_iter().map(|alert| alert.key).collect();
            (keys, outcome.cleared.len())
        };
        let keys = |of: &[&str]| of.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert_eq!(round(1, &["3.4"], &["f"]), (keys(&["3.4", "f"]), 0));
        assert_eq!(round(2, &["3.4", "4.1"], &["f"]), (keys(&["4.1", "f"]), 0));
        assert_eq!(round(3, &["4.1"], &[]), (keys(&[]), 1));
        assert_eq!(round(4, &["3.4", "4.1"], &[]), (keys(&["3.4"]), 0));
    }
}
