import FalconStorage

extension ServerConfig {
    /// What the engine is told; nil: nothing is encrypted, nor was.
    func encryption() throws(ConfigError) -> EncryptionOptions? {
        var sources: [MasterKeySource] = []
        if !encryptionKeyFile.isEmpty { sources.append(.keyFile(encryptionKeyFile)) }
        if !encryptionPassphraseFile.isEmpty {
            sources.append(.passphraseFile(encryptionPassphraseFile))
        }
        if !encryptionKeyCommand.isEmpty { sources.append(.command(encryptionKeyCommand)) }
        guard sources.count <= 1 else {
            throw ConfigError(
                "storage: give one of encryption_key_file, encryption_passphrase_file and "
                    + "encryption_key_command")
        }
        guard let source = sources.first else {
            guard !isEncrypting else {
                throw ConfigError(
                    "storage.encryption needs encryption_key_file, encryption_passphrase_file or "
                        + "encryption_key_command")
            }
            return nil
        }
        return EncryptionOptions(
            masterKey: source, isEnabled: isEncrypting,
            keyMaximumAgeMicros: UInt64(encryptionKeyMaxAgeMillis) * 1000)
    }
}
