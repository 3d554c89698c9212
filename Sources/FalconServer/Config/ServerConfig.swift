import FalconStorage

/// Everything the server can be told, with its defaults. ``ConfigKey/all`` names, documents and
/// checks each field.
public struct ServerConfig: Sendable {
    public var dataDirectory = "./falcon_data"
    /// Damaged tables are given up at the start. Of this start only, so a flag and no setting.
    public var dropsDamagedTables = false

    public var pgAddress = NetworkAddress(host: "127.0.0.1", port: 5433)
    public var adminAddress = NetworkAddress(host: "127.0.0.1", port: 8080)
    public var maxConnections = 500
    /// 0: one per core.
    public var eventLoopThreads = 0
    /// 0: twice the cores, at least four.
    public var workerThreads = 0
    public var maxMessageBytes = 256 << 20
    public var startupTimeoutMillis = 60_000
    public var shutdownGraceMillis = 10_000

    public var memtableBytes = 64 << 20
    public var blockCacheBytes = 256 << 20
    /// 0: the block cache is bounded by itself, table metadata by nothing.
    public var memoryBudgetBytes = 0
    public var compression = BlockCodec.lz4
    public var bottomCompression = BlockCodec.lz4
    public var bottomDictionaryBytes = 0
    public var filterBitsPerKey = 10
    public var compactionThreads = 1
    public var backgroundBytesPerSecond = 0
    public var walSegmentBytes = 64 << 20
    public var walRetainBytes = 1 << 30
    public var durability = Durability.synced

    /// Files are encrypted from now on; with a key and without this, decrypted.
    public var isEncrypting = false
    /// At most one of the three is not empty.
    public var encryptionKeyFile = ""
    public var encryptionPassphraseFile = ""
    public var encryptionKeyCommand = ""
    /// 0: data keys stay until somebody rotates them.
    public var encryptionKeyMaxAgeMillis = 0

    /// Empty: the log is not archived.
    public var archiveDirectory = ""
    public var archiveMaxPendingBytes = 16 << 30
    public var archiveTimeoutMillis = 60_000
    /// 0: base backups copy as fast as they can.
    public var backupBytesPerSecond = 0

    public var maxSlots = 64
    public var maxSlotBytes = 1 << 30
    /// 0: however old.
    public var maxSlotAgeMillis = 7 * 86_400_000

    public var maxLocks = 8_000_000
    /// Empty: prepared transactions wait for their clients, however long.
    public var inDoubtCommand = ""
    public var inDoubtAfterMillis = 60_000
    public var inDoubtRate = 10
    /// Initial values of session settings, from the `[settings]` table.
    public var settings: [(String, String)] = []

    public var logLevel = "info"

    public init() {}
}

/// A host and a port, as `host:port` or `[v6 address]:port`.
public struct NetworkAddress: Equatable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil when `text` is not an address. `*` means every interface, an empty host loopback.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { return nil }
        self.host = host.isEmpty ? "127.0.0.1" : host == "*" ? "0.0.0.0" : host
        self.port = port
    }

    /// Only programs on this machine reach it.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A configuration that cannot be used: where, what and what to write instead.
public struct ConfigError: Error, Equatable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
