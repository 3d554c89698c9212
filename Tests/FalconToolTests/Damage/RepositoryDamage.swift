import FalconToolKit
import Testing

@testable import FalconStorage

/// One line of the table of damages of a repository: what is done to it, and what `pitr-restore verify` must say.
struct RepositoryDamage: CustomTestStringConvertible, Sendable {
    let name: String
    /// A finding's code; nil for none.
    let code: String?
    let exit: ToolExit
    /// What the report must contain besides.
    var says: [String] = []
    /// Codes of findings that may stand beside it; no others may.
    var also: Set<String> = []
    /// Of repositories that are encrypted, or are not; nil: of both.
    var onlyEncrypted: Bool?
    let mutilate: @Sendable (DamagedRepository) throws -> Void

    var testDescription: String { name }

    func applies(isEncrypted: Bool) -> Bool { onlyEncrypted.map { $0 == isEncrypted } ?? true }

    private init(
        _ name: String, _ code: String?, _ exit: ToolExit, says: [String] = [],
        also: Set<String> = [], onlyEncrypted: Bool? = nil,
        _ mutilate: @escaping @Sendable (DamagedRepository) throws -> Void
    ) {
        self.name = name
        self.code = code
        self.exit = exit
        self.says = says
        self.also = also
        self.onlyEncrypted = onlyEncrypted
        self.mutilate = mutilate
    }

    /// Of an archived segment; the log behind it may hang in the air then.
    private static func segment(
        _ name: String, says: [String] = [],
        _ mutilate: @escaping @Sendable (DamagedRepository) throws -> Void
    ) -> RepositoryDamage {
        RepositoryDamage(
            name, "PITR008", .corruption, says: says, also: ["PITR006"], mutilate)
    }

    /// Of a file of a base backup.
    private static func backup(
        _ name: String, says: [String] = [], onlyEncrypted: Bool? = nil,
        _ mutilate: @escaping @Sendable (DamagedRepository) throws -> Void
    ) -> RepositoryDamage {
        RepositoryDamage(
            name, "PITR009", .corruption, says: says, onlyEncrypted: onlyEncrypted, mutilate)
    }

    // MARK: - The archived log

    static let segments: [RepositoryDamage] = [
        segment("a bit of a segment's frame", says: ["archived segment is damaged"]) {
            try $0.flip(try $0.middle.path, 10)
        },
        segment("the last byte of a segment's frames") {
            let size = Int(try $0.middle.storedBytes) - 256 - 16
            try $0.flip(try $0.middle.path, size - 1)
        },
        segment("a bit of a segment's index") { try $0.flip(try $0.middle.path, -256 - 13) },
        segment("another hash of a frame under right checksums") {
            try $0.reindex(try $0.middle.path) { $0[8] ^= 1 }
        },
        segment("a frame of an unknown codec") {
            try $0.reindex(try $0.middle.path) { $0[4] = 9 }
        },
        segment("a frame of another codec") {
            try $0.reindex(try $0.middle.path) { $0[4] = $0[4] == 0 ? 2 : 0 }
        },
        segment("a frame of another length") {
            try $0.reindex(try $0.middle.path) { $0[0] ^= 1 }
        },
        segment("another hash of a whole segment") {
            try $0.reseal(try $0.middle.path) { $0.rawHash ^= 1 }
        },
        segment("another size of a whole segment") {
            try $0.reseal(try $0.middle.path) { $0.rawBytes -= 1 }
        },
        segment("a bit of a segment's footer") { try $0.flip(try $0.newest.path, -200) },
        segment("a segment's footer magic") { try $0.flip(try $0.newest.path, -256) },
        segment("a bit of a footer's checksum") { try $0.flip(try $0.newest.path, -2) },
        segment("a footer of zeros") {
            try $0.patch(try $0.newest.path) {
                $0.replaceSubrange(($0.count - 256)..., with: [UInt8](repeating: 0, count: 256))
            }
        },
        RepositoryDamage(
            "a segment of a newer format", "GEN009", .usage, says: ["has format 9"]
        ) {
            try $0.patch(try $0.newest.path) { bytes in
                let start = bytes.count - 256
                bytes[start + 8] = 9
                let sum = Array(bytes[start..<(start + 248)]).withUnsafeBytes {
                    Checksum.xxh3($0)
                }
                withUnsafeBytes(of: sum.littleEndian) {
                    bytes.replaceSubrange((start + 248)..., with: $0)
                }
            }
        },
        segment("a segment of another place in the log", says: ["its name says"]) {
            try $0.reseal(try $0.newest.path) { $0.firstLSN = $0.firstLSN.advanced(by: 8) }
        },
        segment("a segment of another uid", says: ["its name says"]) {
            try $0.reseal(try $0.newest.path) { $0.uid = UID(high: 9, low: 9) }
        },
        segment("a segment of another database", says: ["another database's"]) {
            try $0.reseal(try $0.newest.path) { $0.shard = UID(high: 9, low: 9) }
        },
        segment("a stranger's segment under its own name", says: ["another database's"]) {
            let stranger = try RepositoryExemplar.other()
            let found = stranger.segments[stranger.segments.count - 1]
            try $0.memory.createDirectory($0.names.branch(found.branch))
            try $0.memory.replace(
                found.path, with: try stranger.memory.contents(of: found.path))
        },
        segment("a segment cut by a byte") {
            try $0.patch(try $0.middle.path) { $0.removeLast() }
        },
        segment("a segment cut in half") {
            try $0.patch(try $0.middle.path) { $0.removeLast($0.count / 2) }
        },
        segment("a segment cut before its frames end, with its footer") {
            try $0.patch(try $0.middle.path) { $0.remove(at: 20) }
        },
        segment("an empty segment") { try $0.patch(try $0.middle.path) { $0 = [] } },
        segment("a segment with garbage behind it") {
            try $0.patch(try $0.middle.path) { $0 += [1, 2, 3] }
        },
        segment("two segments have changed their names", says: ["its name says"]) {
            try $0.swap(try $0.middle.path, try $0.newest.path)
        },
        RepositoryDamage(
            "a segment in the middle is missing", "PITR006", .unreachable,
            says: ["are not in the repository"]
        ) { try $0.memory.remove(try $0.middle.path) },
        RepositoryDamage("the newest segment is missing: nothing tells", nil, .clean) {
            try $0.memory.remove(try $0.newest.path)
        },
        RepositoryDamage(
            "the first segment of a backup is missing", "PITR009", .corruption,
            says: ["first log segment is not in the repository"], also: ["PITR006"]
        ) { repository in
            let uid = try repository.backup.logSegment
            let found = repository.exemplar.segments.first { $0.uid == uid }
            try repository.memory.remove(try #require(found).path)
        },
        RepositoryDamage("the whole log is missing", "PITR009", .corruption) {
            try $0.memory.removeTree($0.names.log)
        },
        RepositoryDamage("an unfinished segment", "PITR010", .clean) {
            try $0.memory.replace(
                FileNames.temporary(try $0.newest.path), with: [1, 2, 3])
        },
        RepositoryDamage("files beside the segments that are none", nil, .clean) {
            try $0.memory.replace(
                $0.names.branch(try $0.newest.branch) + "/notes.txt", with: [1, 2, 3])
            try $0.memory.replace($0.names.log + "/notes.txt", with: [1, 2, 3])
        },
        keys("KEYS of the log is missing", says: ["is missing"]) { try $0.memory.remove($1) },
        keys("a bit of the log's KEYS") { try $0.flip($1, 100) },
        keys("the log's KEYS is cut") { try $0.patch($1) { $0.removeLast(8) } },
        keys("the log's KEYS is empty") { try $0.patch($1) { $0 = [] } },
    ]

    private static func keys(
        _ name: String, says: [String] = ["key registry is damaged"],
        _ mutilate: @escaping @Sendable (DamagedRepository, String) throws -> Void
    ) -> RepositoryDamage {
        RepositoryDamage(name, "PITR008", .corruption, says: says, onlyEncrypted: true) {
            try mutilate($0, $0.names.keys(try $0.newest.branch))
        }
    }

    // MARK: - Base backups

    static let backups =
        manifests + metas("FORMAT") + metas("CURRENT") + metas("MANIFEST")
        + metas("KEYS", isEncrypted: true)

    private static let manifests: [RepositoryDamage] = [
        backup("a bit of a backup's manifest", says: ["manifest is damaged"]) {
            try $0.flip($0.names.manifest(try $0.backup.id), 40)
        },
        backup("a bit of its checksum") { try $0.flip($0.names.manifest(try $0.backup.id), -3) },
        backup("a backup's manifest is missing") {
            try $0.memory.remove($0.names.manifest(try $0.backup.id))
        },
        backup("a backup's manifest is empty") {
            try $0.patch($0.names.manifest(try $0.backup.id)) { $0 = [] }
        },
        backup("a backup's manifest is cut") {
            try $0.patch($0.names.manifest(try $0.backup.id)) { $0.removeLast(30) }
        },
        backup("garbage behind a backup's manifest") {
            try $0.patch($0.names.manifest(try $0.backup.id)) { $0 += Array("end\n".utf8) }
        },
        backup("a line of a backup's manifest makes no sense") {
            try $0.rewrite(line: "start", "somewhere")
        },
        backup("a backup's manifest without an id") { try $0.rewrite(line: "id", "../other") },
        backup("a backup of another database", says: ["another database's"]) {
            try $0.rewrite(line: "shard", UID(high: 9, low: 9).description)
        },
        RepositoryDamage(
            "a backup's manifest of a newer format", "GEN009", .usage, says: ["does not know"]
        ) {
            try $0.rewrite { $0 = $0.replacing("falcon-backup 0", with: "falcon-backup 9") }
        },
        RepositoryDamage("a backup's manifest with a line of a later version", nil, .clean) {
            try $0.rewrite { $0 += "colour blue\n" }
        },
        backup("a backup under another name", says: ["is that of backup"]) {
            try $0.memory.rename(
                $0.names.backup(try $0.backup.id), to: $0.names.backup("another"))
        },
        backup("a backup that wants a file of another hash", says: ["is missing"]) {
            let file = try $0.backup.files[0]
            let (hash, other) = (FileNames.hex(file.hash), FileNames.hex(file.hash ^ 1))
            try $0.rewrite { $0 = $0.replacing(hash, with: other) }
        },
        backup("a bit of a table", says: ["not those that were written", "backups"]) {
            try $0.flip(try $0.file(isBlob: false), 100)
        },
        backup("a bit of a table's end") { try $0.flip(try $0.file(isBlob: false), -2) },
        backup("a table is missing", says: ["is missing"]) {
            try $0.memory.remove(try $0.file(isBlob: false))
        },
        backup("a table is cut", says: ["in place of"]) {
            try $0.patch(try $0.file(isBlob: false)) { $0.removeLast() }
        },
        backup("garbage behind a table", says: ["in place of"]) {
            try $0.patch(try $0.file(isBlob: false)) { $0 += [0] }
        },
        backup("an empty table") { try $0.patch(try $0.file(isBlob: false)) { $0 = [] } },
        backup("a table and a blob file have changed their names") {
            try $0.swap(try $0.file(isBlob: false), try $0.file(isBlob: true))
        },
        backup("a bit of a blob file") { try $0.flip(try $0.file(isBlob: true), 70) },
        backup("a blob file is missing") { try $0.memory.remove(try $0.file(isBlob: true)) },
        backup("a blob file is cut") {
            try $0.patch(try $0.file(isBlob: true)) { $0.removeLast(5) }
        },
        backup("all data files are missing") { try $0.memory.removeTree($0.names.files) },
        RepositoryDamage("a file that no backup has", nil, .clean) {
            try $0.memory.replace($0.names.files + "/0-0.sst", with: [1, 2, 3])
        },
        RepositoryDamage("an unfinished file", "PITR010", .clean) {
            try $0.memory.replace($0.names.files + "/0.tmp", with: [1, 2, 3])
        },
        RepositoryDamage("an unfinished backup", "PITR010", .clean) {
            try $0.memory.createDirectory($0.names.backups + "/later.partial")
        },
    ]

    /// Each file beside a backup's manifest.
    private static func metas(_ file: String, isEncrypted: Bool? = nil) -> [RepositoryDamage] {
        [
            backup("a bit of a backup's \(file)", onlyEncrypted: isEncrypted) {
                try $0.flip(try $0.meta(file), 5)
            },
            backup("a backup's \(file) is missing", onlyEncrypted: isEncrypted) {
                try $0.memory.remove(try $0.meta(file))
            },
            backup("a backup's \(file) is cut", onlyEncrypted: isEncrypted) {
                try $0.patch(try $0.meta(file)) { $0.removeLast() }
            },
        ]
    }

    // MARK: - The repository itself

    static let whole: [RepositoryDamage] = [
        RepositoryDamage("nothing", nil, .clean, says: ["all as written"]) { _ in },
        RepositoryDamage("a bit of REPOSITORY", "GEN002", .corruption) {
            try $0.flip($0.names.marker, 30)
        },
        RepositoryDamage("REPOSITORY is empty", "GEN002", .corruption) {
            try $0.patch($0.names.marker) { $0 = [] }
        },
        RepositoryDamage("REPOSITORY is cut", "GEN002", .corruption) {
            try $0.patch($0.names.marker) { $0.removeLast(3) }
        },
        RepositoryDamage("REPOSITORY is missing", "GEN004", .io, says: ["no backup repository"]) {
            try $0.memory.remove($0.names.marker)
        },
        RepositoryDamage("REPOSITORY of a newer format", "GEN009", .usage) {
            try mark($0, "falcon-repository 9", $0.exemplar.backups[0].shard)
        },
        RepositoryDamage(
            "REPOSITORY of another database", "PITR009", .corruption,
            says: ["another database's"], also: ["PITR008"]
        ) { try mark($0, "falcon-repository 0", UID(high: 9, low: 9)) },
        RepositoryDamage("no backup is left", nil, .clean) { repository in
            for backup in repository.exemplar.backups {
                try repository.memory.removeTree(repository.names.backup(backup.id))
            }
        },
    ]

    /// Another REPOSITORY; its checksum fits.
    private static func mark(
        _ repository: DamagedRepository, _ format: String, _ shard: UID
    ) throws {
        let text = Array("\(format)\nshard \(shard)\n".utf8)
        let sum = text.withUnsafeBytes { Checksum.xxh3($0) }
        try repository.memory.replace(
            repository.names.marker, with: text + Array("\(FileNames.hex(sum))\n".utf8))
    }
}
