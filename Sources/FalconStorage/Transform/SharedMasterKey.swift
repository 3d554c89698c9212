import Synchronization

/// A master key that is fetched from its source when it is first needed, and not again: who opens a directory several
/// times over runs a key command once, and stretches a passphrase once for each registry's salt.
public final class SharedMasterKey: Sendable {
    private let source: MasterKeySource
    private let fetched = Mutex<MasterSecret?>(nil)

    /// Fetches nothing yet.
    public init(_ source: MasterKeySource) { self.source = source }

    /// What the source gave. A failure is not kept: the next call tries again.
    func secret(_ fileSystem: any FileSystem) throws(StorageError) -> MasterSecret {
        // The lock is held meanwhile: a second caller waits for the first one's answer.
        try fetched.withLock { secret -> Result<MasterSecret, StorageError> in
            if let secret { return .success(secret) }
            do throws(StorageError) {
                let given = try MasterSecret(source, fileSystem)
                secret = given
                return .success(given)
            } catch {
                return .failure(error)
            }
        }.get()
    }
}

/// The keys that a passphrase was stretched to, by registry.
final class StretchedKeys: Sendable {
    private struct Registry: Hashable {
        var salt: [UInt8]
        var iterations: UInt32
    }

    private let keys = Mutex<[Registry: [UInt8]]>([:])

    /// Keys that were made.
    var count: Int { keys.withLock { $0.count } }

    /// The key for a registry; `stretch` makes it where it is not known.
    func key(
        salt: [UInt8], iterations: UInt32, _ stretch: () -> [UInt8]?
    ) -> [UInt8]? {
        keys.withLock { keys in
            let registry = Registry(salt: salt, iterations: iterations)
            if let known = keys[registry] { return known }
            keys[registry] = stretch()
            return keys[registry]
        }
    }
}
