import CCrypto

/// Where the master key of a data directory comes from.
public enum MasterKeySource: Sendable {
    /// 32 bytes.
    case key([UInt8])
    /// A file with 32 bytes, or 64 hexadecimal digits.
    case keyFile(String)
    /// Stretched with PBKDF2-HMAC-SHA-256.
    case passphrase([UInt8])
    /// A file whose first line is a passphrase.
    case passphraseFile(String)
    /// A shell command that prints what a key file would hold.
    case command(String)
    /// One of the others, fetched once for all who are given it.
    case shared(SharedMasterKey)
}

/// What a ``MasterKeySource`` gave: a key, or a passphrase that a registry's salt makes one of.
struct MasterSecret: Sendable {
    /// Of new registries. An attacker with the registry pays as much for each guess.
    static let iterations: UInt32 = 600_000
    static let saltBytes = 16
    private static let leastPassphraseBytes = 8

    private var bytes: [UInt8]
    /// Of a passphrase; nil: the key itself was given.
    let stretched: StretchedKeys?
    var isPassphrase: Bool { stretched != nil }

    init(
        _ source: MasterKeySource, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        switch source {
        case .key(let key): try self.init(key: key, "The key that was given")
        case .keyFile(let path):
            try self.init(
                key: try Self.contents(of: path, "key", fileSystem), "The key file \(path)")
        case .command(let command):
            try self.init(key: try KeyCommand.run(command), "What the key command printed")
        case .shared(let shared): self = try shared.secret(fileSystem)
        case .passphrase(let passphrase): try self.init(passphrase: passphrase)
        case .passphraseFile(let path):
            let text = try Self.contents(of: path, "passphrase", fileSystem)
            try self.init(passphrase: Array(text.prefix { $0 != 0x0A && $0 != 0x0D }))
        }
    }

    private init(key given: [UInt8], _ what: String) throws(StorageError) {
        guard let key = Self.key(given) else {
            throw StorageError(
                .keyMissing, kind: .user,
                "\(what) is neither 32 bytes nor 64 hexadecimal digits.",
                hint: "Make one with: openssl rand -hex 32")
        }
        bytes = key
        stretched = nil
    }

    private init(passphrase: [UInt8]) throws(StorageError) {
        guard passphrase.count >= Self.leastPassphraseBytes else {
            throw StorageError(
                .keyMissing, kind: .user,
                "A passphrase has at least \(Self.leastPassphraseBytes) bytes.")
        }
        bytes = passphrase
        stretched = StretchedKeys()
    }

    private static func contents(
        of path: String, _ what: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> [UInt8] {
        do throws(StorageError) {
            guard try fileSystem.fileSize(path) <= 64 << 10 else {
                throw StorageError(.invalidArgument, kind: .user, "It is longer than 64 KiB.")
            }
            return try fileSystem.contents(of: path)
        } catch {
            throw StorageError(
                .keyMissing, kind: .user, "The \(what) file cannot be read.",
                cause: error.cause ?? error.message, location: .init(path: path),
                errno: error.errno)
        }
    }

    private static func key(_ given: [UInt8]) -> [UInt8]? {
        if given.count == AESGCM.keyBytes { return given }
        var text = given[...]
        while let last = text.last, last == 0x0A || last == 0x0D || last == 0x20 {
            text.removeLast()
        }
        guard text.count == 2 * AESGCM.keyBytes else { return nil }
        var key: [UInt8] = []
        var high: UInt8?
        for digit in text {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                key.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return key
    }

    /// The master key under a registry's salt and iterations; 0 iterations: the key itself was given. Nil when
    /// the registry wants the other kind of secret.
    func masterKey(salt: [UInt8], iterations: UInt32) -> [UInt8]? {
        guard isPassphrase == (iterations > 0) else { return nil }
        guard let stretched else { return bytes }
        return stretched.key(salt: salt, iterations: iterations) {
            Self.stretch(bytes, salt: salt, iterations: iterations)
        }
    }

    /// PBKDF2-HMAC-SHA-256, 32 bytes of it.
    static func stretch(_ passphrase: [UInt8], salt: [UInt8], iterations: UInt32) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: AESGCM.keyBytes)
        let isDone = passphrase.withUnsafeBytes { text in
            PKCS5_PBKDF2_HMAC(
                text.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(text.count), salt,
                Int32(salt.count), Int32(clamping: iterations), EVP_sha256(),
                Int32(key.count), &key) == 1
        }
        return isDone ? key : nil
    }
}
