/// Makes requests that may come twice take effect once: the first run's result is kept with its writes,
/// in the same commit, and is the answer to every repetition until it expires.
///
///     result   key: the request's key
///              value: format u8 (1), XXH3-64 of the request u64, expiry in microseconds since 1970 u64,
///                     the result's bytes
///     expiry   key: expiry u64 BE, the request's key; value: empty
///
/// Thread-safe. There should be one store per engine: two do not see each other's requests under way.
public final class IdempotencyStore: Sendable {
    /// What became of a request.
    public struct Answer: Sendable, Equatable {
        /// What `body` returned, in this run or the first.
        public var result: [UInt8]
        /// The request had run before; nothing was written now.
        public var isReplay: Bool
    }

    private let engine: StorageEngine
    private let options: IdempotencyOptions
    private let claims = KeyClaims()

    /// A store over `engine`, which it keeps alive. Reads nothing yet.
    public init(_ engine: StorageEngine, _ options: IdempotencyOptions = .init()) {
        self.engine = engine
        self.options = options
    }

    /// Runs a request once. `body` fills the batch that is committed together with the result that it
    /// returns; when the key's result is known already, `body` does not run.
    /// - Parameters:
    ///   - key: what the client names the request by, at most ``IdempotencyOptions/maximumKeyBytes``.
    ///   - request: the request itself, or what tells it from others: only its hash is kept.
    ///
    /// Throws `idempotency-conflict` when the key was used for another request, `in-use` when the same
    /// one is under way, `invalid-argument` for a key or a result that is too long, what `body` throws,
    /// and what the commit throws. After `commit-outcome-unknown` the same call is safe after a
    /// reopen: it replays or runs.
    public func run(
        _ key: some StorageBytes, request: some StorageBytes,
        _ commit: CommitOptions = .init(),
        _ body: (WriteBatch) throws(StorageError) -> [UInt8]
    ) throws(StorageError) -> Answer {
        let key = try checked(key)
        let hash = try request.withStorageBytes { bytes throws(StorageError) in
            Checksum.xxh3(bytes)
        }
        guard claims.claim(key) else { throw Self.underWay }
        defer { claims.release(key) }
        if let known = try read(key) {
            guard known.request == hash else { throw Self.conflict }
            return Answer(result: known.result, isReplay: true)
        }
        let batch = WriteBatch()
        let result = try body(batch)
        guard result.count <= options.maximumResultBytes else {
            throw .invalidArgument(
                "The result has \(result.count) bytes; at most \(options.maximumResultBytes) are kept."
            )
        }
        let expiry = now().addingCapped(options.lifetimeMicros)
        try batch.putSystem(
            SystemKey.make(.idempotencyResults, key),
            StoredResult(request: hash, expiryMicros: expiry, result: result).encoded())
        try batch.putSystem(SystemKey.make(.idempotencyExpiry, expiry, key), [])
        try engine.commitAndWait(batch, commit)
        return Answer(result: result, isReplay: false)
    }

    /// The kept result of `key`; nil when there is none or it has expired.
    public func result(of key: some StorageBytes) throws(StorageError) -> [UInt8]? {
        try read(try checked(key))?.result
    }

    /// Drops what has expired, and what is beyond ``IdempotencyOptions/maximumEntries``; to be called
    /// now and then, by one thread. Reads the expiry of every kept result.
    /// - Returns: how many results went.
    @discardableResult
    public func collect() throws(StorageError) -> Int {
        var total = 0
        try engine.forEach(in: SystemKey.range(.idempotencyExpiry)) { _, _ throws(StorageError) in
            total += 1
            return true
        }
        var excess = max(0, total - max(0, options.maximumEntries))
        var dropped = 0
        let moment = now()
        let rows = try engine.makeIterator(SystemKey.range(.idempotencyExpiry), at: .max)
        try rows.seekToFirst()
        while rows.isValid {
            guard let (expiry, key) = SystemKey.parse(rows.key) else {
                throw Self.damaged(rows.keyBytes)
            }
            guard expiry <= moment || excess > 0 else { break }
            if try drop(key, expiry) { dropped += 1 }
            excess -= 1
            try rows.next()
        }
        return dropped
    }

    /// Drops one result, unless its key is being used just now: the next collection sees to it then.
    private func drop(_ key: [UInt8], _ expiry: UInt64) throws(StorageError) -> Bool {
        guard claims.claim(key) else { return false }
        defer { claims.release(key) }
        let batch = WriteBatch()
        try batch.deleteSystem(SystemKey.make(.idempotencyExpiry, expiry, key))
        // The key may have run again since it expired: that result stays.
        let stored = SystemKey.make(.idempotencyResults, key)
        if let value = try engine.get(stored), StoredResult(value)?.expiryMicros == expiry {
            try batch.deleteSystem(stored)
        }
        try engine.commitAndWait(batch, CommitOptions(durability: .buffered))
        return true
    }

    private func read(_ key: [UInt8]) throws(StorageError) -> StoredResult? {
        let stored = SystemKey.make(.idempotencyResults, key)
        guard let value = try engine.get(stored) else { return nil }
        guard let result = StoredResult(value) else { throw Self.damaged(stored) }
        return result.expiryMicros > now() ? result : nil
    }

    private func checked(_ key: some StorageBytes) throws(StorageError) -> [UInt8] {
        let bytes = try key.withStorageBytes { bytes throws(StorageError) in Array(bytes) }
        guard (1...max(1, options.maximumKeyBytes)).contains(bytes.count) else {
            throw .invalidArgument(
                "An idempotency key has 1 to \(options.maximumKeyBytes) bytes, not \(bytes.count).")
        }
        return bytes
    }

    private func now() -> UInt64 { engine.storeMicros }

    private static var underWay: StorageError {
        StorageError(
            .inUse, kind: .retryable, "A request with this idempotency key is under way.",
            hint: "Ask again in a moment; its result will be replayed.")
    }

    private static var conflict: StorageError {
        StorageError(
            .idempotencyConflict, kind: .user,
            "The idempotency key was used for another request.",
            hint: "Use a new key for each request, the same only to repeat one.")
    }

    private static func damaged(_ key: [UInt8]) -> StorageError {
        StorageError(
            .corruption, kind: .bug, "A row of the idempotency store makes no sense.",
            cause: "key of \(key.count) bytes")
    }
}

extension StorageErrorCode {
    /// An idempotency key came with another request than the first time.
    public static let idempotencyConflict = Self("idempotency-conflict")
}

/// The value of a kept result.
struct StoredResult: Equatable {
    static let format: UInt8 = 1
    var request: UInt64
    var expiryMicros: UInt64
    var result: [UInt8]

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 17 + result.count)
        writer.append(Self.format)
        writer.appendFixed(request)
        writer.appendFixed(expiryMicros)
        writer.append(contentsOf: result)
        return writer.bytes
    }
}

extension StoredResult {
    init?(_ value: [UInt8]) {
        let head = value.withUnsafeBytes { bytes -> (UInt64, UInt64)? in
            var reader = ByteReader(bytes)
            guard reader.readByte() == Self.format, let request = reader.readFixed(UInt64.self),
                let expiry = reader.readFixed(UInt64.self)
            else { return nil }
            return (request, expiry)
        }
        guard let head else { return nil }
        self.init(request: head.0, expiryMicros: head.1, result: Array(value[17...]))
    }
}
