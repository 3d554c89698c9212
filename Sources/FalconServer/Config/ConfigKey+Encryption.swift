/// The keys that say how files are encrypted.
extension ConfigKey {
    static let encryption: [ConfigKey] = [
        ConfigKey(
            "storage", "encryption", "false",
            "Encrypt every file (AES-256-GCM) from this start on, under the master key that one of the "
                + "next three gives; what is there is encrypted in the background. False with a key: "
                + "decrypt what was encrypted."
        ) { (config, value) throws(ConfigError) in config.isEncrypting = try value.bool() },
        source(
            "encryption_key_file", "a path", \.encryptionKeyFile,
            "File with the master key: 32 bytes, or 64 hexadecimal digits."),
        source(
            "encryption_passphrase_file", "a path", \.encryptionPassphraseFile,
            "File whose first line is a passphrase, stretched with PBKDF2 to the master key."),
        source(
            "encryption_key_command", "a shell command", \.encryptionKeyCommand,
            "Shell command that prints the master key, as a key file holds it."),
        ConfigKey(
            "storage", "encryption_key_max_age", "0",
            "Age at which data keys are replaced and files under them encrypted anew, such as \"90d\"; "
                + "0: when falcon.rotate_data_keys() is called."
        ) { (config, value) throws(ConfigError) in
            config.encryptionKeyMaxAgeMillis = try value.millis(0...(3650 * 86_400_000))
        },
    ]

    /// One that says where the master key comes from.
    private static func source(
        _ name: String, _ noun: String,
        _ place: WritableKeyPath<ServerConfig, String> & Sendable, _ help: String
    ) -> ConfigKey {
        ConfigKey("storage", name, "\"\"", help) { (config, value) throws(ConfigError) in
            config[keyPath: place] = try value.string(noun)
        }
    }
}
