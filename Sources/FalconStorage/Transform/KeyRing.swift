import Synchronization

/// The wrapping keys of a data directory, opened with its master key. Thread-safe.
///
/// Every change is durable in the registry before a file depends on it.
public final class KeyRing: Sendable {
    /// A key that wraps the data keys of one scope's files.
    struct WrappingKey: Sendable {
        var id: UInt64
        var key: [UInt8]
    }

    private struct State {
        var file: KeyRegistryFile
        var master: [UInt8]
        var byID: [UInt64: KeyRegistryFile.Entry] = [:]
        var active: [KeyScope: UInt64] = [:]
        var fresh: Set<UInt64> = []

        init(_ file: KeyRegistryFile, _ master: [UInt8]) {
            self.file = file
            self.master = master
            index()
        }

        mutating func index() {
            byID = [:]
            active = [:]
            fresh = []
            for entry in file.entries {
                byID[entry.id] = entry
                guard entry.isActive else { continue }
                active[entry.scope] = entry.id
                fresh.insert(entry.id)
            }
        }
    }

    private let path: String
    private let fileSystem: any FileSystem
    /// Nil: nothing is changed.
    private let clock: (any StorageClock)?
    /// New files are encrypted.
    let isSealing: Bool
    private let state: Mutex<State>

    private init(
        _ path: String, _ fileSystem: any FileSystem, _ clock: (any StorageClock)?,
        isSealing: Bool, _ state: State
    ) {
        self.path = path
        self.fileSystem = fileSystem
        self.clock = clock
        self.isSealing = isSealing
        self.state = Mutex(state)
    }

    // MARK: - Opening

    /// Opens the registry of the data directory `root`, to read with; throws `key-missing` when the key is wrong.
    public static func open(
        root: String, _ source: MasterKeySource, _ fileSystem: any FileSystem
    ) throws(StorageError) -> KeyRing {
        try open(
            FileNames(root: root).keys, try MasterSecret(source, fileSystem), fileSystem,
            clock: nil, isSealing: false)
    }

    static func open(
        _ path: String, _ secret: MasterSecret, _ fileSystem: any FileSystem,
        clock: (any StorageClock)?, isSealing: Bool
    ) throws(StorageError) -> KeyRing {
        let bytes = try fileSystem.contents(of: path)
        let (file, master) = try KeyRegistryFile.decode(bytes, path: path, secret: secret)
        return KeyRing(path, fileSystem, clock, isSealing: isSealing, State(file, master))
    }

    /// Makes a registry without keys, durably.
    static func create(
        _ path: String, _ secret: MasterSecret, _ fileSystem: any FileSystem,
        clock: any StorageClock, isSealing: Bool, iterations: UInt32 = MasterSecret.iterations
    ) throws(StorageError) -> KeyRing {
        let (file, master) = try fresh(secret, clock, iterations)
        try fileSystem.replace(path, with: try file.encoded(master: master))
        return KeyRing(path, fileSystem, clock, isSealing: isSealing, State(file, master))
    }

    private static func fresh(
        _ secret: MasterSecret, _ clock: any StorageClock, _ iterations: UInt32
    ) throws(StorageError) -> (KeyRegistryFile, [UInt8]) {
        let rounds = secret.isPassphrase ? iterations : 0
        let salt = try AESGCM.random(MasterSecret.saltBytes)
        guard let master = secret.masterKey(salt: salt, iterations: rounds) else {
            throw AESGCM.failure
        }
        let file = KeyRegistryFile(
            masterWallMicros: clock.wallMicros(), iterations: rounds, salt: salt)
        return (file, master)
    }

    // MARK: - Keys

    /// Nil: the registry has no such key.
    func key(_ id: UInt64) throws(StorageError) -> WrappingKey? {
        if let key = known(id) { return key }
        // Beside a live writer the registry may have grown since it was read.
        guard clock == nil else { return nil }
        try reload()
        return known(id)
    }

    private func known(_ id: UInt64) -> WrappingKey? {
        state.withLock { state in state.byID[id].map { WrappingKey(id: id, key: $0.key) } }
    }

    private func reload() throws(StorageError) {
        let bytes = try fileSystem.contents(of: path)
        try changing { (state) throws(StorageError) -> Void in
            let file = try KeyRegistryFile.decode(
                bytes, path: self.path, master: state.master)
            state = State(file, state.master)
        }
    }

    /// The key for new files of `scope`; made, durably, when there is none.
    func activeKey(_ scope: KeyScope) throws(StorageError) -> WrappingKey {
        try changing { (state) throws(StorageError) -> WrappingKey in
            if let id = state.active[scope], let entry = state.byID[id] {
                return WrappingKey(id: id, key: entry.key)
            }
            let entry = try self.makeEntry(scope)
            var file = state.file
            file.entries.append(entry)
            try self.save(file, state.master, &state)
            return WrappingKey(id: entry.id, key: entry.key)
        }
    }

    /// Keys under which files may stay as they are; 0: plain ones may.
    var freshIDs: Set<UInt64> { isSealing ? state.withLock { $0.fresh } : [0] }

    private func makeEntry(_ scope: KeyScope) throws(StorageError) -> KeyRegistryFile.Entry {
        guard let clock else { throw Self.readOnly(path) }
        let id = try AESGCM.random(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } | 1
        return KeyRegistryFile.Entry(
            id: id, scope: scope, isActive: true, createdWallMicros: clock.wallMicros(),
            key: try AESGCM.random(AESGCM.keyBytes))
    }

    // MARK: - Rotation

    /// Wraps every key anew under another master key, and nothing else: no file is rewritten. The old master key
    /// opens the directory no more once this returns.
    func rotateMaster(
        to secret: MasterSecret, iterations: UInt32 = MasterSecret.iterations
    ) throws(StorageError) {
        guard let clock else { throw Self.readOnly(path) }
        let (fresh, master) = try Self.fresh(secret, clock, iterations)
        try changing { (state) throws(StorageError) -> Void in
            var file = fresh
            file.generation = state.file.generation
            file.entries = state.file.entries
            try self.save(file, master, &state)
        }
    }

    /// Gives every scope a new wrapping key from now on. Files under the old ones stay readable; compactions
    /// encrypt them anew.
    func rotateKeys() throws(StorageError) { try retireKeys(createdBefore: .max) }

    /// As ``rotateKeys()`` for the scopes whose key was made before `micros`.
    func retireKeys(createdBefore micros: UInt64) throws(StorageError) {
        guard clock != nil else { throw Self.readOnly(path) }
        try changing { (state) throws(StorageError) -> Void in
            var file = state.file
            var fresh: [KeyRegistryFile.Entry] = []
            for index in file.entries.indices
            where file.entries[index].isActive && file.entries[index].createdWallMicros < micros {
                file.entries[index].isActive = false
                fresh.append(try self.makeEntry(file.entries[index].scope))
            }
            if fresh.isEmpty { return }
            file.entries += fresh
            try self.save(file, state.master, &state)
        }
    }

    private static func readOnly(_ path: String) -> StorageError {
        StorageError(
            .readOnly, kind: .user, "The key registry was opened to be read.",
            location: .init(path: path))
    }

    private func save(
        _ file: KeyRegistryFile, _ master: [UInt8], _ state: inout State
    ) throws(StorageError) {
        var file = file
        file.generation = state.file.generation &+ 1
        let bytes = try file.encoded(master: master)
        do throws(StorageError) {
            try fileSystem.replace(path, with: bytes)
        } catch {
            // A sync that failed behind the rename: what is there now counts, or the next change would take
            // it back.
            if (try? fileSystem.contents(of: path)) == bytes { state = State(file, master) }
            throw error
        }
        state = State(file, master)
    }

    private func changing<Result>(
        _ body: (inout State) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        var outcome: Swift.Result<Result, StorageError>?
        state.withLock { state in
            do throws(StorageError) {
                outcome = .success(try body(&state))
            } catch {
                outcome = .failure(error)
            }
        }
        guard let outcome else {
            throw StorageError(.internalError, kind: .bug, "The key registry was not reached.")
        }
        return try outcome.get()
    }

    // MARK: - Copies

    /// Writes the registry into another directory, as it is: the same master key opens it.
    func copy(to path: String) throws(StorageError) {
        try changing { (state) throws(StorageError) -> Void in
            try self.fileSystem.replace(path, with: try state.file.encoded(master: state.master))
        }
    }

    /// What may be shown to anybody.
    public var report: KeyRingReport {
        state.withLock { state in
            KeyRingReport(
                isSealing: isSealing, generation: state.file.generation,
                isPassphrase: state.file.iterations > 0,
                iterations: state.file.iterations,
                masterWallMicros: state.file.masterWallMicros,
                keys: state.file.entries.map {
                    .init(
                        id: $0.id, scope: $0.scope, isActive: $0.isActive,
                        createdWallMicros: $0.createdWallMicros)
                })
        }
    }
}

/// What a key registry holds, without the keys.
public struct KeyRingReport: Sendable, Hashable {
    /// A wrapping key, without its bytes.
    public struct Key: Sendable, Hashable {
        /// Its number, random and never 0; files state it.
        public var id: UInt64
        /// What it seals.
        public var scope: KeyScope
        /// New files of the scope are sealed under it.
        public var isActive: Bool
        /// When it was made, microseconds since 1970 by the wall clock.
        public var createdWallMicros: UInt64
    }
    /// New files are encrypted.
    public var isSealing: Bool
    /// Rises with every change of the registry.
    public var generation: UInt64
    /// The master key is derived from a passphrase; false: it was given as bytes.
    public var isPassphrase: Bool
    /// Rounds of the derivation; 0 without a passphrase.
    public var iterations: UInt32
    /// When the master key was last changed.
    public var masterWallMicros: UInt64
    /// All keys that files may be sealed with, retired ones included.
    public var keys: [Key]
}
