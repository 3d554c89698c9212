import Testing

@testable import FalconStorage

/// The registry keeps keys, tells damage from a wrong key, and is replaced whole or not at all.
@Suite struct KeyRegistryTests {
    static let path = "/KEYS"
    static let secret = MasterKeySource.key([UInt8](repeating: 7, count: 32))

    private static func make(
        _ memory: any FileSystem, _ source: MasterKeySource = secret
    ) throws -> KeyRing {
        try KeyRing.create(
            path, MasterSecret(source, memory), memory, clock: ManualClock(), isSealing: true,
            iterations: 1000)
    }

    private static func open(
        _ memory: any FileSystem, _ source: MasterKeySource = secret
    ) throws(StorageError) -> KeyRing {
        try KeyRing.open(
            path, MasterSecret(source, memory), memory, clock: ManualClock(), isSealing: true)
    }

    @Test func keysSurviveAReopen() throws {
        let memory = MemoryFileSystem()
        let ring = try Self.make(memory)
        let scopes = [KeyScope.log, .shared, .backup, KeyScope(.table, database: 5)]
        let keys = try scopes.map { try ring.activeKey($0) }
        #expect(Set(keys.map(\.key)).count == scopes.count)
        let again = try Self.open(memory.crashClone(.dropUnsynced))
        for (scope, key) in zip(scopes, keys) {
            let found = try again.activeKey(scope)
            #expect(found.id == key.id && found.key == key.key)
        }
        #expect(again.report.keys.count == scopes.count)
    }

    @Test func aWrongKeyIsToldFromDamage() throws {
        let memory = MemoryFileSystem()
        _ = try Self.make(memory).activeKey(.log)
        let other = MasterKeySource.key([UInt8](repeating: 8, count: 32))
        #expect { try Self.open(memory, other) } throws: {
            ($0 as? StorageError)?.code == .keyMissing
        }
        #expect { try Self.open(memory, .passphrase(Array("correct horse".utf8))) } throws: {
            ($0 as? StorageError)?.code == .keyMissing
        }
        let bytes = try memory.contents(of: Self.path)
        for bit in stride(from: 0, to: bytes.count * 8, by: 3) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect { try KeyRegistryFile.check(damaged, path: Self.path) } throws: {
                ($0 as? StorageError)?.code == .corruption
            }
        }
        for count in [0, 8, 79, bytes.count - 1] {
            #expect { try KeyRegistryFile.check(Array(bytes[..<count]), path: "") } throws: {
                ($0 as? StorageError)?.code == .corruption
            }
        }
    }

    /// Someone who can write files, and knows no key, cannot make a key his own or bring an old one back.
    @Test func aForgedRegistryIsRefused() throws {
        let memory = MemoryFileSystem()
        let ring = try Self.make(memory)
        _ = try ring.activeKey(.log)
        _ = try ring.activeKey(.shared)
        let bytes = try memory.contents(of: Self.path)
        for offset in stride(from: 12, to: bytes.count - 8, by: 5) {
            var forged = bytes
            forged[offset] ^= 1
            let sum = forged[..<(bytes.count - 8)].withUnsafeBytes { Checksum.xxh3($0) }
            withUnsafeBytes(of: sum.littleEndian) {
                forged.replaceSubrange((bytes.count - 8)..., with: $0)
            }
            #expect(throws: StorageError.self) {
                try KeyRegistryFile.decode(
                    forged, path: "", secret: MasterSecret(Self.secret, memory))
            }
        }
    }

    @Test func aNewMasterKeyWrapsTheSameKeys() throws {
        let memory = MemoryFileSystem()
        let ring = try Self.make(memory)
        let key = try ring.activeKey(.log)
        let passphrase = MasterKeySource.passphrase(Array("correct horse".utf8))
        try ring.rotateMaster(to: MasterSecret(passphrase, memory), iterations: 1000)
        #expect(try ring.activeKey(.log).key == key.key)
        let again = try Self.open(memory.crashClone(.dropUnsynced), passphrase)
        #expect(try again.activeKey(.log).key == key.key)
        #expect(again.report.isPassphrase && again.report.iterations == 1000)
        #expect { try Self.open(memory) } throws: {
            ($0 as? StorageError)?.code == .keyMissing
        }
    }

    @Test func retiredKeysStayAndNewOnesTakeOver() throws {
        let memory = MemoryFileSystem()
        let ring = try Self.make(memory)
        let old = try ring.activeKey(.log)
        try ring.rotateKeys()
        let fresh = try ring.activeKey(.log)
        #expect(fresh.id != old.id && fresh.key != old.key)
        let again = try Self.open(memory)
        #expect(try again.key(old.id)?.key == old.key)
        #expect(try again.activeKey(.log).id == fresh.id)
        #expect(again.freshIDs == [fresh.id])
    }

    /// A crash at any write leaves the registry as it was or as it was to be.
    @Test func aTornReplacementLeavesTheOld() throws {
        let memory = MemoryFileSystem()
        let ring = try Self.make(memory)
        let key = try ring.activeKey(.log)
        for operation in [FileOperation.create, .write, .sync, .rename] {
            let faulty = FaultInjectingFileSystem(
                memory, rule: FaultRule(.operation(operation), index: 0, count: .max, errno: 5))
            let broken = try KeyRing.open(
                Self.path, MasterSecret(Self.secret, memory), faulty, clock: ManualClock(),
                isSealing: true)
            #expect(throws: StorageError.self) { try broken.rotateKeys() }
            #expect(try broken.activeKey(.log).id == key.id)
            for clone in [memory.crashClone(.dropUnsynced), memory.crashClone(.keepUnsynced)] {
                #expect(try Self.open(clone).activeKey(.log).id == key.id)
            }
        }
    }

    @Test func keysComeFromFilesAndCommands() throws {
        let memory = MemoryFileSystem()
        let hex = String(repeating: "0f", count: 32)
        for (name, content) in [
            ("/hex", Array((hex + "\n").utf8)), ("/raw", [UInt8](repeating: 15, count: 32)),
        ] {
            try memory.replace(name, with: content)
            let secret = try MasterSecret(.keyFile(name), memory)
            #expect(secret.masterKey(salt: [], iterations: 0) == [UInt8](repeating: 15, count: 32))
        }
        let printed = try MasterSecret(.command("echo \(hex)"), memory)
        #expect(printed.masterKey(salt: [], iterations: 0) == [UInt8](repeating: 15, count: 32))
        try memory.replace("/short", with: [1, 2, 3])
        for source: MasterKeySource in [
            .keyFile("/short"), .keyFile("/none"), .command("exit 3"), .command("echo no key"),
            .passphrase([1]),
        ] {
            #expect { try MasterSecret(source, memory) } throws: {
                ($0 as? StorageError)?.code == .keyMissing
            }
        }
        try memory.replace("/phrase", with: Array("correct horse\nsecond line\n".utf8))
        let phrase = try MasterSecret(.passphraseFile("/phrase"), memory)
        #expect(
            phrase.masterKey(salt: [1], iterations: 10)
                == MasterSecret.stretch(Array("correct horse".utf8), salt: [1], iterations: 10))
    }

    @Test func aSharedKeyIsFetchedAndStretchedOnce() throws {
        let memory = MemoryFileSystem()
        let shared = SharedMasterKey(.passphraseFile("/phrase"))
        #expect { try MasterSecret(.shared(shared), memory) } throws: {
            ($0 as? StorageError)?.code == .keyMissing
        }
        try memory.replace("/phrase", with: Array("correct horse\n".utf8))
        let first = try MasterSecret(.shared(shared), memory)
        try memory.remove("/phrase")
        let second = try MasterSecret(.shared(shared), memory)
        for secret in [first, second] {
            for salt in [[1], [2]] as [[UInt8]] {
                #expect(
                    secret.masterKey(salt: salt, iterations: 10)
                        == MasterSecret.stretch(
                            Array("correct horse".utf8), salt: salt, iterations: 10))
            }
        }
        #expect(second.stretched?.count == 2)
    }
}
