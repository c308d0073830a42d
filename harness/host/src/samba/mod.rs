//! A model of the Samba client programs: it acts on what the files under a host's root say.
