//! The calls of xapi, against programs that answer by script.

mod certificates;
mod disable;
mod enable;
mod set_ldaps;
mod smb_conf;
mod start;
mod support;
