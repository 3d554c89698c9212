import FalconToolKit
import Testing

@testable import FalconStorage

extension FileDamage {
    /// CURRENT, FORMAT, KEYS and what else lies beside MANIFEST.
    static let small: [FileDamage] = [
        .file("nothing", nil, .clean, says: ["all sound"], withoutKey: .nothing, salvage: .rows) {
            _ in
        },
        .file("CURRENT is missing", "SST104", says: ["no CURRENT file"]) {
            try $0.memory.remove($0.names.current)
        },
        .file("a bit of CURRENT", "SST104", says: ["does not name a manifest"]) {
            try $0.flip($0.names.current, 12)
        },
        .file("a bit of CURRENT's checksum", "SST104") { try $0.flip($0.names.current, -4) },
        .file("CURRENT is empty", "SST104") { try $0.patch($0.names.current) { $0 = [] } },
        .file("CURRENT is cut", "SST104") {
            try $0.patch($0.names.current) { $0.removeLast(5) }
        },
        .file("garbage behind CURRENT", "SST104") {
            try $0.patch($0.names.current) { $0 += [0x41] }
        },
        .file("CURRENT names another file", "SST104") {
            try $0.patch($0.names.current) { $0 = Array("FORMAT\n0000000000000000\n".utf8) }
        },
        .file("CURRENT names a manifest that is not there", "SST104", says: ["is missing"]) {
            try $0.patch($0.names.current) { $0 = CurrentMarker.encode(manifest: 0x77) }
        },
        .file("MANIFEST is missing", "SST104", says: ["is missing"]) { directory in
            try directory.memory.remove(try manifestPath(directory))
        },
        .file("MANIFEST of another database", "SST104") { directory in
            let path = try manifestPath(directory)
            let other = try DamageSource.other(isEncrypted: directory.isEncrypted)
            let number = try #require(try CurrentMarker.read(directory.names, other.memory))
            try directory.memory.replace(
                path, with: try other.memory.contents(of: directory.names.manifest(number)))
        },
        .file("another MANIFEST lies beside", nil, .clean, withoutKey: .nothing, salvage: .rows) {
            directory in
            let bytes = try directory.memory.contents(of: try manifestPath(directory))
            try directory.memory.replace(
                directory.names.manifest(0x77), with: Array(bytes.prefix(200)))
        },
        .file("FORMAT is missing", "GEN010", says: ["no FORMAT file"]) {
            try $0.memory.remove($0.names.format)
        },
        .file("a bit of FORMAT", "GEN010", says: ["FORMAT file is damaged"]) {
            try $0.flip($0.names.format, 40)
        },
        .file("FORMAT's magic", "GEN010") { try $0.patch($0.names.format) { $0[0] = 0 } },
        .file("FORMAT is empty", "GEN010") { try $0.patch($0.names.format) { $0 = [] } },
        .file("FORMAT is cut", "GEN010") { try $0.patch($0.names.format) { $0.removeLast() } },
        .file("FORMAT of a newer version", "GEN009", .usage, says: ["format version 9"]) {
            try reformat($0) { $0.version = 9 }
        },
        .file("FORMAT with a feature that readers must know", "GEN009", .usage) {
            try reformat($0) { $0.features.readIncompatible |= 1 << 20 }
        },
        .file(
            "FORMAT of another database", "SST104", says: ["another shard"], also: ["GEN013"]
        ) { try reformat($0) { $0.shard = UID(high: 6, low: 6) } },
        .file(
            "FORMAT with a feature that only writers must know", nil, .clean,
            withoutKey: .nothing, salvage: .notAsked
        ) { try reformat($0) { $0.features.writeIncompatible |= 1 << 20 } },
        .file("LOCK is missing", nil, .clean, withoutKey: .nothing, salvage: .rows) {
            if try $0.memory.exists($0.names.lock) { try $0.memory.remove($0.names.lock) }
        },
        .file("garbage in LOCK", nil, .clean, withoutKey: .nothing, salvage: .rows) {
            try $0.memory.replace($0.names.lock, with: [1, 2, 3])
        },
        .file("unfinished files lie beside", nil, .clean, withoutKey: .nothing, salvage: .rows) {
            for name in ["CURRENT.tmp", "FORMAT.tmp", "notes.txt"] {
                try $0.memory.replace(DamageSource.root + "/" + name, with: [1, 2, 3])
            }
        },
        .file("a restore that is not finished", "GEN001", .usage, says: ["not finished"]) {
            try $0.memory.replace($0.names.restoreMarker, with: [])
        },
        .file("the log is missing", "GEN011", says: ["no log"], withoutKey: .nothing) {
            try $0.memory.removeTree($0.names.walDirectory)
        },
    ]

    /// The key registry of an encrypted directory.
    static let keys: [FileDamage] = [
        key("KEYS is missing", says: ["key registry is missing"]) {
            try $0.memory.remove($0.names.keys)
        },
        key("a bit of KEYS' head") { try $0.flip($0.names.keys, 40) },
        key("a bit of a key") { try $0.flip($0.names.keys, 80 + 40) },
        key("a bit of KEYS' proof") { try $0.flip($0.names.keys, -30) },
        key("a bit of KEYS' checksum") { try $0.flip($0.names.keys, -3) },
        key("KEYS' magic") { try $0.patch($0.names.keys) { $0[0] = 0 } },
        key("KEYS is empty") { try $0.patch($0.names.keys) { $0 = [] } },
        key("KEYS is cut") { try $0.patch($0.names.keys) { $0.removeLast(96) } },
        key("garbage behind KEYS") { try $0.patch($0.names.keys) { $0 += [1] } },
        .file(
            "KEYS of a newer version", "GEN009", .usage, says: ["newer format"],
            also: ["GEN012"], onlyEncrypted: true
        ) { directory in
            try directory.patch(directory.names.keys) { bytes in
                bytes[8] = 9
                let sum = Array(bytes.dropLast(8)).withUnsafeBytes { Checksum.xxh3($0) }
                withUnsafeBytes(of: sum.littleEndian) {
                    bytes.replaceSubrange((bytes.count - 8)..., with: $0)
                }
            }
        },
        .file(
            "KEYS of another database", "GEN006", .keyMissing, says: ["not at hand"],
            withoutKey: .nothing, onlyEncrypted: true
        ) { directory in
            let other = try DamageSource.other(isEncrypted: true)
            try directory.memory.replace(
                directory.names.keys, with: try other.memory.contents(of: directory.names.keys))
        },
    ]

    /// What is damaged of KEYS hides MANIFEST, with the master key, too.
    private static func key(
        _ name: String, says: [String] = ["key registry is damaged"],
        _ mutilate: @escaping @Sendable (DamagedDirectory) throws -> Void
    ) -> FileDamage {
        file(name, "GEN010", says: says, also: ["GEN012"], onlyEncrypted: true, mutilate)
    }

    private static func manifestPath(_ directory: DamagedDirectory) throws -> String {
        let number = try #require(try CurrentMarker.read(directory.names, directory.memory))
        return directory.names.manifest(number)
    }

    /// Another FORMAT; its checksum fits.
    private static func reformat(
        _ directory: DamagedDirectory, _ change: (inout FormatFile) -> Void
    ) throws {
        let path = directory.names.format
        var format = try FormatFile.decode(
            directory.memory.contents(of: path), path: path, forWriting: false)
        change(&format)
        try directory.memory.replace(path, with: format.encoded())
    }
}
