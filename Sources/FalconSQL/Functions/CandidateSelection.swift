import FalconSchema

/// Chooses among overloads (func_select_candidate and its kin in parse_func.c).
struct CandidateSelection {
    /// A candidate's parameter types, one per actual argument.
    struct Candidate {
        var types: [OID]
        var index: Int
    }
    enum Outcome {
        case none
        case one(Int)
        case ambiguous
    }

    let actual: [OID]

    /// All that could take the arguments, polymorphic consistency included.
    func matching(_ candidates: [Candidate]) -> [Candidate] {
        candidates.filter { candidate in
            for (given, declared) in zip(actual, candidate.types)
            where !TypeCoercion.canCoerce(given, declared) { return false }
            if candidate.types.contains(where: TypeCoercion.isPolymorphic) {
                return TypeCoercion.Polymorphism(declared: candidate.types, actual: actual) != nil
            }
            return true
        }
    }

    func select(_ all: [Candidate]) -> Outcome {
        let usable = matching(all)
        if usable.isEmpty { return .none }
        if usable.count == 1 { return .one(usable[0].index) }
        var candidates = usable
        let unknowns = actual.count { $0 == .unknown }

        // The most exact matches.
        candidates = best(candidates) { candidate in
            var count = 0
            for (given, declared) in zip(actual, candidate.types)
            where given != .unknown && given == declared { count += 1 }
            return count
        }
        if candidates.count == 1 { return .one(candidates[0].index) }

        // The most exact or preferred.
        let categories = actual.map { TypeCoercion.category($0) }
        candidates = best(candidates) { candidate in
            var count = 0
            for (position, declared) in candidate.types.enumerated()
            where actual[position] != .unknown {
                if declared == actual[position]
                    || (TypeCoercion.category(declared) == categories[position]
                        && TypeCoercion.isPreferred(declared))
                {
                    count += 1
                }
            }
            return count
        }
        if candidates.count == 1 { return .one(candidates[0].index) }
        if unknowns == 0 { return .ambiguous }

        // Unknown literals lean to strings, or to the one category all candidates accept.
        var slotCategories: [UInt8] = []
        var slotPreferred: [Bool] = []
        var resolved = true
        for position in actual.indices {
            var category: UInt8 = 0
            var hasPreferred = false
            var hasConflict = false
            if actual[position] == .unknown {
                for (number, candidate) in candidates.enumerated() {
                    let type = candidate.types[position]
                    let itsCategory = TypeCoercion.category(type)
                    let itsPreferred = TypeCoercion.isPreferred(type)
                    if number == 0 {
                        category = itsCategory
                        hasPreferred = itsPreferred
                    } else if itsCategory == category {
                        hasPreferred = hasPreferred || itsPreferred
                    } else if itsCategory == UInt8(ascii: "S") {
                        category = itsCategory
                        hasPreferred = itsPreferred
                    } else if category != UInt8(ascii: "S") {
                        hasConflict = true
                    }
                }
                // A string candidate settles a conflict among the others.
                if hasConflict, category != UInt8(ascii: "S") { resolved = false }
            }
            slotCategories.append(category)
            slotPreferred.append(hasPreferred)
        }
        if resolved {
            let kept = candidates.filter { candidate in
                for position in actual.indices where actual[position] == .unknown {
                    let type = candidate.types[position]
                    if TypeCoercion.category(type) != slotCategories[position] { return false }
                    if slotPreferred[position], !TypeCoercion.isPreferred(type) { return false }
                }
                return true
            }
            if !kept.isEmpty { candidates = kept }
            if candidates.count == 1 { return .one(candidates[0].index) }
        }

        // Assume the unknowns are what the known arguments are.
        if unknowns < actual.count {
            var known: OID = .invalid
            for type in actual where type != .unknown {
                if known == .invalid { known = type } else if known != type { return .ambiguous }
            }
            let assumed = [OID](repeating: known, count: actual.count)
            let kept = CandidateSelection(actual: assumed).matching(candidates)
            if kept.count == 1 { return .one(kept[0].index) }
        }
        return .ambiguous
    }

    private func best(
        _ candidates: [Candidate], _ score: (Candidate) -> Int
    ) -> [Candidate] {
        var most = -1
        var kept: [Candidate] = []
        for candidate in candidates {
            let value = score(candidate)
            if value > most {
                most = value
                kept = [candidate]
            } else if value == most {
                kept.append(candidate)
            }
        }
        return kept
    }
}
