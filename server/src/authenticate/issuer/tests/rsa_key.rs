//! An RSA key pair for tests alone: ring signs with RSA and does not make keys for it.

/// The private key, PKCS #8 in base64.
pub(super) const PRIVATE: &str = "\
     MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDZoumbcD5bx1a109ThRoDhOojlNTDlKqPImQBO\
     bnmGHmwd/kthwqRtF9ap7e5QkK6wd3zrRaPOULPJBcrniqWWjpORMyRnW+i6i5ZkGKmK6E7evDIQlgHzHT9g1nSN\
     EgH2ug0WWGIwfJIAaZfBQAVrAC6U0sQ34N/XNtnGzvTQuEHDdJdDdXBBY4Y0SEIfBIoo42Fqivgdufouqzu1jR5j\
     h0JS5auq7xnqoiqfHai43dASs8FC3PiklfE2G9Aa0lofOM7reqdUqQVQQmeu8rI3IPpG0eqX2XdLqEHJAQbigKu/\
     iDd0Vxq+kouoJ9LBYylkDYEIZC1Yitms8/pdjbLVAgMBAAECggEAD/OqhZJf+7hRa8vjmAHOgKkFRNmVzyJFisvj\
     c3GSVjPaJFunI6VRic58FTdOPFj9I4w/23seqHNkA265gn2i0/V42E/EPLrbmiVmPUl3zymRCFneczaaMiXZZ0wT\
     aGNNbLZn2aoE7mgJsok1eTxro+i0QVkZI+hct8ilLzbW8l+q+hqapFFbsUwnIG+568U/SuPyrqOdJIknO5ulvJJ1\
     P5YhwTNjYqI83uRKj+ZnbA7PDUchWpFtFkeY9XMXoUZ13KsJQaLdcRYGKSQlmd8Lkt5mBZLdgsp2Q8sAtSDOy287\
     kEMzz8RfgHfJl6OhgNDuNRSRVziRRA1q4ZmaMKMeoQKBgQD/mzUJV/pbm5p+RTPO7zycgoxaz5PQEb7mgTrLj/ih\
     iHsF4sKEoO62WiVDl/D3muMsvxRA1RGhiCmuOL48zJSstZ56MBqTn9/w8W0Zs009KEBwsxPhd01v3eHEvKSQSW6j\
     VXzh+nsoiztSfiNsezUcA2JeLZINntpSzCwTmzVKNQKBgQDZ+LuU/omkfxEedqPNylB9W3w3ZTdp1q4qFjrGesJn\
     vXsPQisfyjvR43LNJNEEx/f+fnT4iZuE0SmeY9wQO5Z6tc4DEXJhEHu4P4iUgLHa+kxjHlDmN0qc12k+FFUKtJ8q\
     6KNHWtdjdBBKcs8IIST4CZOdnmwBXAHrJP0U8EbaIQKBgQD2+aT5bkS+F0/kCkHRBWBvacTsSf3s4fivCNcise3v\
     Rsx4F28Ub9u33sp60WlIFiTDq62KJ1Zt2f9MFA/c92AAsUx7i9diJOxhByX/2zwah7YcLyxagsgT+zSWwB/SOuHo\
     eEW+pCQ0PLQJNVBNFY9vjeWSUj35YzBZKGa+Ww3WsQKBgGal8zisUgesa1RsTKGqKBOQ1MOFn/3wwp5BT7aOsySF\
     oAFEiOh0pY0nTrX7I4/b2Bb6WH1+2EVI9w+HOWhPl4L8QSNCwRmi2JChIuHEZX2ZKAX5jeGMok+QRhidHJtpChf7\
     7IC67/n++3kD7imG6lEAuYqdw4E0YhbpmWGV8dfhAoGARUgPcMk0F3VCiIKj7YkJqvyJNHGB7SF9FGbsez+01ct2\
     relVlhe0eiV02LAD8XYc8XTDTdCZC3Im5FL64cVdGW4jsI+8oMNDgBecp7ugVpRyIDhniPolFZ72Kwr0XB9Kp45g\
     p+NFjvyu28A8JZkP0exXBdGwXZbHJQtItvFzIr4=";
/// The modulus, as a key set has it; the exponent is `AQAB`.
pub(super) const MODULUS: &str = "2aLpm3A-W8dWtdPU4UaA4TqI5TUw5SqjyJkATm55hh5sHf5LYcKkbRfWqe3uUJCusHd860WjzlCzyQXK54qllo6TkTMkZ1vououWZBipiuhO3rwyEJYB8x0_YNZ0jRIB9roNFlhiMHySAGmXwUAFawAulNLEN-Df1zbZxs700LhBw3SXQ3VwQWOGNEhCHwSKKONhaor4Hbn6Lqs7tY0eY4dCUuWrqu8Z6qIqnx2ouN3QErPBQtz4pJXxNhvQGtJaHzjO63qnVKkFUEJnrvKyNyD6RtHql9l3S6hByQEG4oCrv4g3dFcavpKLqCfSwWMpZA2BCGQtWIrZrPP6XY2y1Q";
