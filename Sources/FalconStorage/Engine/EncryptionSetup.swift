/// Opens the keys of a data directory before anything of it is replayed: a wrong one changes nothing and reads
/// nothing.
enum EncryptionSetup {
    /// The environment whose file system carries the directory's keys; as given where nothing is encrypted.
    static func keyed(
        _ names: FileNames, _ encryption: EncryptionOptions?, _ given: StorageEnvironment,
        forWriting: Bool, createIfMissing: Bool = true
    ) throws(StorageError) -> StorageEnvironment {
        // A tool has opened them already.
        if encryption == nil, !forWriting, given.fileSystem.keys != nil { return given }
        let fileSystem = given.fileSystem.unkeyed
        guard
            let ring = try ring(
                names, encryption, fileSystem, given.clock, forWriting, createIfMissing)
        else {
            return given.with(fileSystem)
        }
        return given.with(KeyedFileSystem(fileSystem, ring))
    }

    private static func ring(
        _ names: FileNames, _ encryption: EncryptionOptions?, _ fileSystem: any FileSystem,
        _ clock: any StorageClock, _ forWriting: Bool, _ createIfMissing: Bool
    ) throws(StorageError) -> KeyRing? {
        let isSealing = (encryption?.isEnabled ?? false) && forWriting
        if try fileSystem.exists(names.keys) {
            guard let encryption else { throw noKey(names) }
            let ring = try KeyRing.open(
                names.keys, try MasterSecret(encryption.masterKey, fileSystem), fileSystem,
                clock: forWriting ? clock : nil, isSealing: isSealing)
            if isSealing {
                try markFormat(names, fileSystem)
                try retireOld(ring, encryption, clock)
            }
            return ring
        }
        let isThere = try fileSystem.exists(names.format)
        if isThere, try isMarked(names, fileSystem, forWriting) { throw lost(names) }
        guard let encryption, isSealing, isThere || createIfMissing else { return nil }
        let ring = try KeyRing.create(
            names.keys, try MasterSecret(encryption.masterKey, fileSystem), fileSystem,
            clock: clock, isSealing: true)
        try markFormat(names, fileSystem)
        return ring
    }

    /// Retires keys that are older than the options allow.
    static func retireOld(
        _ ring: KeyRing, _ encryption: EncryptionOptions, _ clock: any StorageClock
    ) throws(StorageError) {
        guard encryption.keyMaximumAgeMicros > 0 else { return }
        let now = clock.wallMicros()
        try ring.retireKeys(createdBefore: now &- min(now, encryption.keyMaximumAgeMicros))
    }

    /// Throws where FORMAT says that the directory has a registry, and it has none: another's does not hold its keys.
    static func refuseLost(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard try !fileSystem.exists(names.keys), try fileSystem.exists(names.format),
            try isMarked(names, fileSystem, false)
        else { return }
        throw lost(names)
    }

    // MARK: - FORMAT

    private static func isMarked(
        _ names: FileNames, _ fileSystem: any FileSystem, _ forWriting: Bool
    ) throws(StorageError) -> Bool {
        let format = try FormatFile.decode(
            fileSystem.contents(of: names.format), path: names.format, forWriting: forWriting)
        return format.features.readIncompatible & FeatureBits.encryption != 0
    }

    /// Says in FORMAT, where there is one by now, that the directory needs its registry.
    private static func markFormat(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard try fileSystem.exists(names.format) else { return }
        var format = try FormatFile.decode(
            fileSystem.contents(of: names.format), path: names.format, forWriting: true)
        if format.features.readIncompatible & FeatureBits.encryption != 0 { return }
        format.features.readIncompatible |= FeatureBits.encryption
        try fileSystem.replace(names.format, with: format.encoded())
    }

    // MARK: - Errors

    private static func noKey(_ names: FileNames) -> StorageError {
        StorageError(
            .keyMissing, kind: .user,
            "The data directory is encrypted, and no master key was given.",
            location: .init(path: names.keys),
            hint: "Give a key file, a passphrase file or a key command.")
    }

    private static func lost(_ names: FileNames) -> StorageError {
        StorageError(
            .keyMissing, kind: .user,
            "The data directory is encrypted, and its key registry is missing.",
            location: .init(path: names.keys),
            hint: "Restore KEYS from a backup of the same directory: without it nothing that is "
                + "encrypted can be read.")
    }
}
