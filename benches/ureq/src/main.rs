//! Reports with ureq, with its defaults and a CA file. `benches/programs/common.h` describes the arguments.

use std::error::Error;
use std::time::Instant;
use std::{env, fs};

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

const SYSTEM_STORE: &str = "/etc/ssl/certs/ca-certificates.crt";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, url, ca_file, count, _, warm_up, ..] = arguments.as_slice() else {
        return Err("usage: bare-ureq URL CA_FILE|- COUNT CONCURRENCY WARM_UP".into());
    };
    let (count, warm_up): (u64, u64) = (count.parse()?, warm_up.parse()?);
    let agent = agent(if ca_file == "-" { SYSTEM_STORE } else { ca_file })?;
    (0..warm_up).try_for_each(|number| report(&agent, url, number))?;
    let (start, cpu) = (Instant::now(), cpu_s()?);
    (warm_up..warm_up + count).try_for_each(|number| report(&agent, url, number))?;
    let (wall_s, cpu_s, peak_kib) = (start.elapsed().as_secs_f64(), cpu_s()? - cpu, peak_kib()?);
    println!(r#"{{"done": {count}, "failures": 0, "wall_s": {wall_s}, "cpu_s": {cpu_s}, "peak_kib": {peak_kib}}}"#);
    Ok(())
}

fn agent(ca_file: &str) -> Result<Agent, Box<dyn Error>> {
    let pem = fs::read(ca_file)?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::from(certificates)).build();
    Ok(Agent::config_builder().tls_config(tls).build().new_agent())
}

fn report(agent: &Agent, url: &str, number: u64) -> Result<(), Box<dyn Error>> {
    let id = format!("{:016X}", (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let url = format!(
        "{url}/conversions/sms?api_key=abcd1234&api_secret=s3cret&delivered=true&message-id={id}&timestamp=2026-01-01%2012%3A00%3A00"
    );
    let mut response = agent.post(url).send_empty()?;
    response.body_mut().read_to_vec()?;
    if response.status() == 200 { Ok(()) } else { Err(response.status().to_string().into()) }
}

/// Returns the CPU time, in seconds, of this thread, which is the only thread of the process.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().ok_or("no schedstat")?.parse::<f64>()? / 1e9)
}

fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("no VmHWM")?.parse()?)
}
