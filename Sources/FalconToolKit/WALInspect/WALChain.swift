import FalconStorage

/// How each segment that was read continues the one before it, by what their headers say.
struct WALChain {
    enum Kind: String {
        /// The oldest segment on disk; it may name a predecessor that was released.
        case first
        case continues
        /// A new incarnation of the same log.
        case incarnation
        /// It continues the one before, and that ends before what this one vouches for.
        case shortPredecessor = "short-predecessor"
        /// Segments between the two are missing.
        case hole
        /// It names another predecessor.
        case foreign
        /// One of the two headers cannot be read.
        case unknown
    }
    struct Link {
        var kind: Kind
        /// Between the end of the predecessor and this segment's beginning, as a new incarnation leaves.
        var lsnGap: UInt64 = 0

        var isBroken: Bool {
            switch kind {
            case .first, .continues, .incarnation: false
            case .shortPredecessor, .hole, .foreign, .unknown: true
            }
        }
        /// What a person should know of it.
        var text: String {
            switch kind {
            case .first, .continues: ""
            case .incarnation: lsnGap > 0 ? ", \(lsnGap) LSNs skipped before it" : ""
            case .shortPredecessor: ", vouches for more than its predecessor holds"
            case .hole: ", after a hole"
            case .foreign: ", names another predecessor"
            case .unknown: ", link unknown"
            }
        }
    }

    let links: [Link]
    private let last: WALSegmentNumber?
    private let first: WALSegmentNumber?

    init(_ segments: [WALReader.SegmentSummary]) {
        first = segments.first?.number
        last = segments.last?.number
        links = segments.indices.map { index in
            index == 0
                ? Link(kind: segments[0].header == nil ? .unknown : .first)
                : Self.link(segments[index], after: segments[index - 1])
        }
    }

    private static func link(
        _ segment: WALReader.SegmentSummary, after previous: WALReader.SegmentSummary
    ) -> Link {
        guard segment.number == previous.number.successor else { return Link(kind: .hole) }
        guard let header = segment.header, let before = previous.header else {
            return Link(kind: .unknown)
        }
        guard let named = header.predecessor, named.segment == before.segment,
            named.uid == before.uid
        else { return Link(kind: .foreign) }
        var link = Link(kind: .continues)
        if header.identity.incarnation != before.identity.incarnation { link.kind = .incarnation }
        if header.firstLSN > named.lastLSN {
            link.lsnGap = header.firstLSN.rawValue - named.lastLSN.rawValue
        }
        if previous.lastLSN < named.lastLSN { link.kind = .shortPredecessor }
        return link
    }

    var isBroken: Bool { links.contains(where: \.isBroken) }

    /// One line for people.
    var text: String {
        guard let first, let last else { return "chain: no segments" }
        let broken = links.filter(\.isBroken).count
        let range = "chain: \(links.count) segments, \(first) to \(last)"
        return broken == 0 ? range + ", unbroken" : range + ", \(broken) links broken"
    }
}
