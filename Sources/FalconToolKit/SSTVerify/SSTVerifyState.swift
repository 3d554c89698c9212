import FalconStorage

/// Which files a check that has not come to its end found sound, in a file: the next one passes them over.
///
/// ```
/// falcon-sst-verify-state 1 deep
/// deep 190752 1d6e6fde4d974618 /srv/falcon_data/sst/0000000000000003.sst
/// sum 6440129ec0b54732
/// ```
/// A line a file: how deep it was checked, its bytes, its identity, its path. The last line is the XXH3-64 of all
/// before it.
final class SSTVerifyState {
    private static let mark = "falcon-sst-verify-state 1 "
    private static let intervalNanos: UInt64 = 5_000_000_000

    /// How much was checked of a file.
    enum Depth: String {
        case quick
        case deep
        /// Encrypted, and the key was not given: what a key opens was not read.
        case quickWithoutKey = "quick-without-key"
        case deepWithoutKey = "deep-without-key"

        init(isQuick: Bool, isHidden: Bool) {
            self =
                isQuick
                ? (isHidden ? .quickWithoutKey : .quick) : (isHidden ? .deepWithoutKey : .deep)
        }

        var isQuick: Bool { self == .quick || self == .quickWithoutKey }
        var isHidden: Bool { self == .quickWithoutKey || self == .deepWithoutKey }
    }

    /// A file that was found sound.
    struct Entry {
        var depth: Depth
        var identity: SSTFileIdentity
    }

    let path: String
    /// The file was of a check of another depth: nothing of it counts.
    private(set) var isOfOtherDepth = false
    private let isQuick: Bool
    private let fileSystem: any FileSystem
    private let clock: any StorageClock
    private var lastNanos: UInt64
    private var entries: [String: Entry] = [:]
    private var isChanged = false

    /// - Parameter fileSystem: the one without keys: the file is not encrypted.
    init(
        _ path: String, isQuick: Bool, _ environment: StorageEnvironment
    ) throws(StorageError) {
        self.path = path
        self.isQuick = isQuick
        fileSystem = environment.fileSystem
        clock = environment.clock
        lastNanos = environment.clock.monotonicNanos()
        guard try fileSystem.exists(path) else { return }
        if try fileSystem.isDirectory(path) {
            throw .invalidArgument(
                "'\(path)' is a directory.", hint: "Name the file that is to keep the state.")
        }
        try parse(try fileSystem.contents(of: path))
    }

    // MARK: - Files

    /// How much was checked of the file, as it is now, when it was found sound; nil: it is to be checked.
    /// - Parameter hasKey: the master key was given, so that what is behind it is to be checked too.
    func entry(of file: SSTFile, hasKey: Bool) -> Entry? {
        guard let entry = entries[ToolPath.absolute(file.path)],
            !(entry.depth.isHidden && hasKey),
            // One that cannot be read is checked, and the check says why.
            let identity = try? SSTFileIdentity(file, fileSystem), identity == entry.identity
        else { return nil }
        return entry
    }

    /// Notes that the file is sound, and writes that down from time to time.
    func note(_ file: SSTFile, isHidden: Bool) throws(StorageError) {
        let name = ToolPath.absolute(file.path)
        // It could not be told from two lines.
        guard !name.utf8.contains(0x0A) else { return }
        entries[name] = Entry(
            depth: Depth(isQuick: isQuick, isHidden: isHidden),
            identity: try SSTFileIdentity(file, fileSystem))
        isChanged = true
        let now = clock.monotonicNanos()
        if now &- lastNanos >= Self.intervalNanos {
            lastNanos = now
            try save()
        }
    }

    /// The file is not sound, or not there.
    func forget(_ file: SSTFile) {
        if entries.removeValue(forKey: ToolPath.absolute(file.path)) != nil { isChanged = true }
    }

    /// The check has come to its end: nothing is left to go on with.
    func remove() throws(StorageError) {
        guard try fileSystem.exists(path) else { return }
        try fileSystem.remove(path)
        try fileSystem.syncDirectory(VFSPath.parent(of: path))
    }

    /// Makes durable what is known.
    func save() throws(StorageError) {
        guard isChanged else { return }
        try StagedFile.write(encoded, to: path, fileSystem)
        isChanged = false
    }

    // MARK: - The file

    private var encoded: [UInt8] {
        var text = Self.mark + (isQuick ? Depth.quick : .deep).rawValue + "\n"
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            text += "\(entry.depth.rawValue) \(entry.identity.byteCount) "
            text += "\(String(entry.identity.hash, radix: 16)) \(name)\n"
        }
        return Array((text + "sum " + Self.sum(text) + "\n").utf8)
    }

    private static func sum(_ text: String) -> String {
        String(Array(text.utf8).withUnsafeBytes { Checksum.xxh3($0) }, radix: 16)
    }

    private func parse(_ bytes: [UInt8]) throws(StorageError) {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "", let sum = lines.popLast(), let head = lines.first,
            head.hasPrefix(Self.mark),
            sum == "sum " + Self.sum(lines.map { $0 + "\n" }.joined()),
            let depth = Depth(rawValue: String(head.dropFirst(Self.mark.count)))
        else { throw unreadable }
        isOfOtherDepth = depth.isQuick != isQuick
        guard !isOfOtherDepth else {
            // The file says what holds no more: it is written anew, or removed at the end.
            isChanged = true
            return
        }
        for line in lines.dropFirst() {
            let parts = line.split(separator: " ", maxSplits: 3)
            guard parts.count == 4, let depth = Depth(rawValue: String(parts[0])),
                let size = UInt64(parts[1]), let hash = UInt64(parts[2], radix: 16)
            else { throw unreadable }
            entries[String(parts[3])] = Entry(
                depth: depth, identity: SSTFileIdentity(byteCount: size, hash: hash))
        }
    }

    private var unreadable: StorageError {
        .invalidArgument(
            "'\(path)' holds no state of sst-verify, or it is damaged.",
            hint: "Name another file, or remove it to check everything anew.")
    }
}
