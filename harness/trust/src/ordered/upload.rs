//! The parameters of `uploadCustomCertificate`, as they come over the wire.

use ground::Secret;

use super::UploadError;

/// What the row of a server certificate is called that is uploaded without a name.
const SERVER_NAME: &str = "CPVMCertificate";

/// One call. Which of the three kinds it is follows from `id` and `private_key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// PEM.
    pub certificate: String,
    /// What the server certificate stands for: `corp.example`.
    pub domain_suffix: String,
    /// Its place: 1 is the root, 2 and on are intermediates. The server certificate has none.
    pub id: Option<i32>,
    /// Name of the row. Another upload under it replaces the row.
    pub name: String,
    /// PKCS#8 in PEM; with the server certificate alone.
    pub private_key: Option<Secret>,
}

impl Upload {
    /// Reads the URL-encoded parameters. Names are told apart without regard to case, as
    /// CloudStack's API does; those of others (`command`, `apikey`) are passed over.
    ///
    /// # Errors
    ///
    /// A parameter is missing, stands twice, or `id` is no number. Whether the values make sense is
    /// for the keystore to say.
    pub fn from_query(query: &str) -> Result<Self, UploadError> {
        let mut parameters = Parameters::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parameters.take(&name, &value)?;
        }
        let wanted = |value: Option<String>, parameter| {
            value.filter(|value| !value.is_empty()).ok_or(UploadError::Missing { parameter })
        };
        // As CloudStack, which has a fixed name for the one row with a key.
        let own_name = parameters.private_key.is_some().then(|| SERVER_NAME.to_owned());
        Ok(Self {
            certificate: wanted(parameters.certificate, "certificate")?,
            domain_suffix: wanted(parameters.domain_suffix, "domainsuffix")?,
            id: parameters.id.map(number).transpose()?,
            name: wanted(parameters.name.or(own_name), "name")?,
            private_key: parameters.private_key.map(Secret::new),
        })
    }
}

/// For a client: the parameters of the call.
impl Upload {
    /// The query or form of this call. Encoded as it should be, or, as is easily done by hand, with
    /// only what ends a parameter: the classic mistake, which turns `+` into a blank.
    pub fn to_query(&self, is_encoded: bool) -> String {
        let id = self.id.map(|id| id.to_string());
        let parameters = [
            ("command", Some("uploadCustomCertificate")),
            ("response", Some("json")),
            ("name", Some(self.name.as_str())),
            ("id", id.as_deref()),
            ("domainsuffix", Some(self.domain_suffix.as_str())),
            ("certificate", Some(self.certificate.as_str())),
            ("privatekey", self.private_key.as_ref().map(Secret::expose)),
        ];
        let given = parameters.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        if is_encoded {
            return form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        }
        let bare = |(name, value): (&str, &str)| {
            format!("{name}={}", value.replace('&', "%26").replace('\n', "%0A"))
        };
        given.map(bare).collect::<Vec<_>>().join("&")
    }
}

#[derive(Default)]
struct Parameters {
    certificate: Option<String>,
    domain_suffix: Option<String>,
    id: Option<String>,
    name: Option<String>,
    private_key: Option<String>,
}

impl Parameters {
    fn take(&mut self, name: &str, value: &str) -> Result<(), UploadError> {
        let (parameter, place) = match name.to_ascii_lowercase().as_str() {
            "certificate" => ("certificate", &mut self.certificate),
            "domainsuffix" => ("domainsuffix", &mut self.domain_suffix),
            "id" => ("id", &mut self.id),
            "name" => ("name", &mut self.name),
            "privatekey" => ("privatekey", &mut self.private_key),
            _ => return Ok(()),
        };
        match place.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(UploadError::Twice { parameter }),
        }
    }
}

fn number(text: String) -> Result<i32, UploadError> {
    match text.parse() {
        Ok(id) if id >= 1 => Ok(id),
        _ => Err(UploadError::NoPlace { id: text }),
    }
}
