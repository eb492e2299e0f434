//! What the customer relationship system delivers: contacts with the service centre and
//! answers to campaigns.

use chrono::Datelike;

use crate::census::{Bank, Census};
use crate::draw::{Draw, Purpose};
use crate::entity;
use crate::error::BankError;
use crate::feed::TableWriter;
use crate::generate::{Feed, Progress, REPORT_EVERY};
use crate::generated::TableFiles;
use crate::reference::CAMPAIGNS;
use crate::words::CONTACT_NOTES;

const REASONS: [&str; 7] =
    ["question", "question", "complaint", "lost_card", "loan_enquiry", "login", "advice"];
const CONTACT_CHANNELS: [&str; 5] = ["phone", "phone", "mobile", "counter", "internet"];
const OFFER_CHANNELS: [&str; 4] = ["mobile", "mobile", "phone", "counter"];
/// Contacts of one night at most: nine digits follow the date in a contact's number.
const NIGHT_FACTOR: u64 = 1_000_000_000;
/// The first of those digits is the piece's.
const PIECE_FACTOR: u64 = NIGHT_FACTOR / 10;

fn contact_stream(bank: &Bank, customer: u64) -> Draw {
    Draw::new(bank.plan.seed, Purpose::Contacts, customer)
}

fn response_stream(bank: &Bank, customer: u64) -> Draw {
    Draw::new(bank.plan.seed, Purpose::Responses, customer)
}

/// How often a customer spoke with the bank: most never, few often.
pub(crate) fn contacts_of(bank: &Bank, customer: u64) -> u64 {
    draw_contacts(&mut contact_stream(bank, customer))
}

fn draw_contacts(draw: &mut Draw) -> u64 {
    let mut contacts = 0;
    while contacts < 12 && draw.happens(380) {
        contacts += 1;
    }
    contacts
}

/// How many campaigns a customer was part of.
pub(crate) fn responses_of(bank: &Bank, customer: u64) -> u64 {
    draw_campaigns(&mut response_stream(bank, customer)).count() as u64
}

/// The campaigns that chose the customer, as indexes.
fn draw_campaigns(draw: &mut Draw) -> impl Iterator<Item = usize> + use<> {
    let reached: [bool; CAMPAIGNS.len()] =
        std::array::from_fn(|campaign| draw.happens(CAMPAIGNS[campaign].reach_per_mille));
    (0..CAMPAIGNS.len()).filter(move |campaign| reached[*campaign])
}

/// Writes the table service_contact.
pub(crate) fn write_contacts(
    bank: &Bank,
    census: &Census,
    feed: &Feed,
    progress: &Progress,
) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::SERVICE_CONTACT)?;
    for customer in bank.customers() {
        let draw = &mut contact_stream(bank, customer);
        for _ in 0..draw_contacts(draw) {
            write_contact(&mut table, bank, customer, draw)?;
        }
        if customer % REPORT_EVERY == 0 {
            progress("service_contact", table.rows(), census.contacts);
        }
    }
    progress("service_contact", table.rows(), census.contacts);
    table.finish()
}

fn write_contact(
    table: &mut TableWriter,
    bank: &Bank,
    customer: u64,
    draw: &mut Draw,
) -> Result<(), BankError> {
    let date = bank.plan.date;
    let night =
        u64::from(date.year().unsigned_abs()) * 10_000 + u64::from(date.month() * 100 + date.day());
    let first = night * NIGHT_FACTOR + u64::from(bank.plan.piece.index) * PIECE_FACTOR;
    let number = first + table.rows() + 1;
    table.integer(number).customer_id(customer).text(bank.outlet_code(customer));
    table.text(draw.pick(&CONTACT_CHANNELS)).text(draw.pick(&REASONS));
    let day = bank.calendar.days()[bank.calendar.pick(draw)];
    table.timestamp(day, (8 * 3_600 + draw.below(12 * 3_600)) as u32);
    table.integer((draw.cents(180.0, 0.9) as u64).min(7_200));
    if draw.happens(300) {
        table.integer(5 - draw.below(5).min(draw.below(5)));
    } else {
        table.null();
    }
    table.optional_text(draw.happens(400).then(|| draw.pick(&CONTACT_NOTES))).end_row()
}

/// Writes the table campaign_response.
pub(crate) fn write_responses(
    bank: &Bank,
    census: &Census,
    feed: &Feed,
    progress: &Progress,
) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::CAMPAIGN_RESPONSE)?;
    for customer in bank.customers() {
        let draw = &mut response_stream(bank, customer);
        for campaign in draw_campaigns(draw) {
            write_response(&mut table, bank, customer, campaign, draw)?;
        }
        if customer % REPORT_EVERY == 0 {
            progress("campaign_response", table.rows(), census.responses);
        }
    }
    progress("campaign_response", table.rows(), census.responses);
    table.finish()
}

fn write_response(
    table: &mut TableWriter,
    bank: &Bank,
    customer: u64,
    campaign: usize,
    draw: &mut Draw,
) -> Result<(), BankError> {
    let campaign = &CAMPAIGNS[campaign];
    let days = bank.calendar.days();
    let offered = draw.index(days.len());
    // Who answers, answers within three weeks, and not after the business date.
    let answered = (offered + draw.index(21)).min(days.len() - 1);
    let response = match draw.below(100) {
        0..72 => "none",
        72..90 => "declined",
        _ => "accepted",
    };
    table.text(campaign.code).customer_id(customer).text(bank.outlet_code(customer));
    table.text(draw.pick(&OFFER_CHANNELS)).text(campaign.product).date(days[offered]);
    table.optional_date((response != "none").then(|| days[answered])).text(response);
    if response == "accepted" {
        table.money(draw.cents(1_000_000.0, 1.0));
    } else {
        table.null();
    }
    table.end_row()
}
