//! Reads a home while another process may write it: its state, and the rows of each year.
//!
//! ```sh
//! cargo run --release --example read_a_home -- HOME
//! ```

use std::path::PathBuf;

use spillover::Reader;
use spillover::home::parts::Table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = std::env::args_os().nth(1).map(PathBuf::from).ok_or("give the home")?;
    let mut reader = Reader::open(&home)?;
    loop {
        let status = reader.status()?;
        println!("vintage {}: {} records", status.vintage, status.accepted);
        let standing = reader.standing(None)?;
        for table in Table::ALL {
            for year in reader.table(&standing, table)?.rows(None) {
                let (year, rows) = year?;
                println!("  {} {year}: {} rows", table.name(), rows.num_rows());
            }
        }
        // Queries see one publication until the reader moves on.
        if !reader.move_on()? {
            return Ok(());
        }
    }
}
