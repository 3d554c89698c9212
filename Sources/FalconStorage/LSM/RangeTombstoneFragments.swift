/// The range tombstones of several layers as one sorted list of disjoint pieces, each with the newest
/// tombstone over it that a reader at one timestamp sees.
struct RangeTombstoneFragments {
    struct Fragment: Equatable {
        var lower: [UInt8]
        var upper: [UInt8]
        var timestamp: Timestamp
    }
    private(set) var fragments: [Fragment] = []

    static let none = RangeTombstoneFragments()
    private init() {}

    /// - Parameter timestamp: tombstones above it are left out.
    init(_ tombstones: [RangeTombstone], at timestamp: Timestamp) {
        let visible = tombstones.filter {
            $0.timestamp <= timestamp && KeyOrder.less($0.lower, $0.upper)
        }
        guard !visible.isEmpty else { return }
        if visible.count == 1 {
            fragments = [
                Fragment(
                    lower: visible[0].lower, upper: visible[0].upper,
                    timestamp: visible[0].timestamp)
            ]
            return
        }
        // A sweep over the sorted bounds; the open tombstones in a list, as overlaps are few.
        var bounds = visible.flatMap { [$0.lower, $0.upper] }
        bounds.sort(by: KeyOrder.less)
        let byLower = visible.sorted { KeyOrder.less($0.lower, $1.lower) }
        var open: [RangeTombstone] = []
        var nextToOpen = 0
        for index in bounds.indices.dropLast() {
            let (lower, upper) = (bounds[index], bounds[index + 1])
            if KeyOrder.compare(lower, upper) == 0 { continue }
            open.removeAll { KeyOrder.compare($0.upper, lower) <= 0 }
            while nextToOpen < byLower.count,
                KeyOrder.compare(byLower[nextToOpen].lower, lower) <= 0
            {
                open.append(byLower[nextToOpen])
                nextToOpen += 1
            }
            guard let newest = open.map(\.timestamp).max() else { continue }
            if let last = fragments.last, last.timestamp == newest, last.upper == lower {
                fragments[fragments.count - 1].upper = upper
            } else {
                fragments.append(Fragment(lower: lower, upper: upper, timestamp: newest))
            }
        }
    }

    var isEmpty: Bool { fragments.isEmpty }

    /// The piece over `key`.
    func piece(over key: UnsafeRawBufferPointer) -> Int? {
        var low = 0
        var high = fragments.count
        while low < high {
            let middle = (low + high) / 2
            let beyond = fragments[middle].upper.withUnsafeBytes {
                KeyOrder.compare($0, key) > 0
            }
            if beyond { high = middle } else { low = middle + 1 }
        }
        guard low < fragments.count else { return nil }
        let inside = fragments[low].lower.withUnsafeBytes { KeyOrder.compare($0, key) <= 0 }
        return inside ? low : nil
    }

    /// The newest tombstone over `key`, or zero.
    func covering(_ key: UnsafeRawBufferPointer) -> Timestamp {
        piece(over: key).map { fragments[$0].timestamp } ?? .zero
    }

    /// The upper bound of the piece over `key`, to skip what it hides.
    func end(of key: UnsafeRawBufferPointer) -> [UInt8]? {
        piece(over: key).map { fragments[$0].upper }
    }
}
