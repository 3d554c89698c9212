/// How ``StorageEngine/ingest(_:_:)`` takes files in.
public struct IngestOptions: Sendable {
    /// What becomes of the files that were given.
    public enum Transfer: Sendable {
        /// The engine gets a hard link to the same bytes, or a copy on another file system. The file
        /// stays where it is and must never be written to again.
        case link
        /// The engine gets a copy; the file is nothing to it afterwards.
        case copy
        /// As ``link``; the name that was given is removed when the ingestion has succeeded.
        case move
    }
    /// What becomes of the files that were given.
    public var transfer: Transfer
    /// Reads each file whole and checks every block, key and count first. False trusts the files: only
    /// their ends are checked, and damage shows when a block is read.
    public var verifiesContents: Bool

    /// Links the files and reads them whole first, unless told otherwise.
    public init(transfer: Transfer = .link, verifiesContents: Bool = true) {
        self.transfer = transfer
        self.verifiesContents = verifiesContents
    }
}
