/// The proof of a damage: what lies at its place, against what should. Read again from the file, so
/// that whoever doubts the verdict can look at the same bytes.
public struct WALEvidence: Sendable, Hashable {
    /// What should lie there, in words.
    public let expected: String
    /// What does, in words.
    public let actual: String

    /// Nil where there is nothing to add to the damage itself.
    public init?(_ damage: WALDamage, _ fileSystem: any FileSystem) throws(StorageError) {
        let directory = VFSPath.parent(of: damage.path)
        guard case .walSegment(let number) = FileNames.parse(VFSPath.name(of: damage.path)) else {
            return nil
        }
        if damage.kind == .missingSegment {
            expected = "segment \(number)"
            actual = try Self.whereabouts(of: number, directory, fileSystem)
            return
        }
        guard try fileSystem.exists(damage.path) else { return nil }
        let file = try fileSystem.open(damage.path, .read)
        if damage.offset == 0 {
            let head = try WALHeaderEvidence(file, number, directory, fileSystem)
            expected = head.expected
            actual = head.actual
            return
        }
        guard case .header(let header) = try WALDirectory.readHeader(damage.path, fileSystem)
        else { return nil }
        expected = Self.expectation(header, at: damage.offset, from: damage.goodUntil)
        actual = try WALChunkEvidence(file, damage.offset, header).text
    }

    /// Of a torn tail: what was being written when the writer stopped.
    public init?(
        tailOf path: String, at offset: UInt64, from end: LSN, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard case .header(let header) = try WALDirectory.readHeader(path, fileSystem) else {
            return nil
        }
        let file = try fileSystem.open(path, .read)
        expected = Self.expectation(header, at: offset, from: end)
        actual = try WALChunkEvidence(file, offset, header).text
    }

    private static func expectation(
        _ header: WALSegmentHeader, at offset: UInt64, from lsn: LSN
    ) -> String {
        "a chunk of segment \(header.segment), uid \(header.uid), at offset \(offset) "
            + "from LSN \(lsn)"
    }

    /// A segment that was taken out of service keeps its header until its file is used again.
    private static func whereabouts(
        of number: WALSegmentNumber, _ directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> String {
        guard try fileSystem.exists(directory) else { return "no directory" }
        for name in try fileSystem.list(directory).sorted() {
            guard case .walSpare = FileNames.parse(name),
                case .header(let header) = try WALDirectory.readHeader(
                    directory + "/" + name, fileSystem),
                header.segment == number
            else { continue }
            return "no such file; \(name) still has its header"
        }
        return "no such file"
    }
}
