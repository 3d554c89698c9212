/// How the files of a data directory are encrypted.
public struct EncryptionOptions: Sendable {
    /// Where the master key comes from that wraps all others.
    public var masterKey: MasterKeySource
    /// False: new files are plain, and compactions decrypt what is there; the key is needed to read it.
    public var isEnabled: Bool
    /// Wrapping keys older than this are retired, and files under them encrypted anew; 0: none is by itself.
    public var keyMaximumAgeMicros: UInt64

    /// Encrypts, and keeps keys until somebody retires them, unless told otherwise.
    public init(
        masterKey: MasterKeySource, isEnabled: Bool = true, keyMaximumAgeMicros: UInt64 = 0
    ) {
        self.masterKey = masterKey
        self.isEnabled = isEnabled
        self.keyMaximumAgeMicros = keyMaximumAgeMicros
    }
}
