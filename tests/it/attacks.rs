//! Attacks: each costs the attacker his connection, and nobody else a review or the machine its memory.

mod floods; // frames of HTTP/2 that cost less to send than to take
mod hoards; // what strangers have the process hold for them
mod providers; // identity providers that mean no good
mod sockets; // connections that take a place and do nothing with it
mod tokens; // junk at full rate
