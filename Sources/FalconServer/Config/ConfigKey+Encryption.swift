/// The keys that say how files are encrypted.
extension ConfigKey {
    static let encryption: [ConfigKey] = [
        ConfigKey(
            "storage", "encryption", "false",
            "Encrypt every file (AES-256-GCM) from this start on, under the master key that one of the "
                + "next three gives; what is there is encrypted in the background. False with a key: "
                + "decrypt what was encrypted."
        ) { (config, value) throws(ConfigError) in config.isEncrypting = try value.bool() },
        ConfigKey(
            "storage", "encryption_key_file", "\"\"",
            "File with the master key: 32 bytes, or 64 hexadecimal digits."
        ) { (config, value) throws(ConfigError) in
            config.encryptionKeyFile = try value.string("a path")
        },
        ConfigKey(
            "storage", "encryption_passphrase_file", "\"\"",
            "File whose first line is a passphrase, stretched with PBKDF2 to the master key."
        ) { (config, value) throws(ConfigError) in
            config.encryptionPassphraseFile = try value.string("a path")
        },
        ConfigKey(
            "storage", "encryption_key_command", "\"\"",
            "Shell command that prints the master key, as a key file holds it."
        ) { (config, value) throws(ConfigError) in
            config.encryptionKeyCommand = try value.string("a shell command")
        },
        ConfigKey(
            "storage", "encryption_key_max_age", "0",
            "Age at which data keys are replaced and files under them encrypted anew, such as \"90d\"; "
                + "0: when falcon.rotate_data_keys() is called."
        ) { (config, value) throws(ConfigError) in
            config.encryptionKeyMaxAgeMillis = try value.millis(0...(3650 * 86_400_000))
        },
    ]
}
