import Synchronization

/// Gives out file numbers to several threads while there is no ``VersionSet`` yet.
final class FileNumberCounter: Sendable {
    private let upcoming = Atomic<UInt64>(0)

    /// The least that has not been given.
    var next: FileNumber { FileNumber(upcoming.load(ordering: .relaxed)) }

    func allocate() -> FileNumber {
        FileNumber(upcoming.wrappingAdd(1, ordering: .relaxed).oldValue)
    }

    /// Numbers below `number` are taken.
    func raise(to number: FileNumber) { upcoming.max(number.rawValue, ordering: .relaxed) }
}
