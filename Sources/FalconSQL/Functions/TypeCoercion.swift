import FalconSchema

/// What may become what (parse_coerce.c).
enum TypeCoercion {
    /// can_coerce_type for one pair, polymorphic targets taken loosely.
    static func canCoerce(_ from: OID, _ to: OID, _ context: CastContext = .implicit) -> Bool {
        if from == to || to == .any { return true }
        if isPolymorphic(to) { return true }
        if from == .unknown { return true }
        return FunctionResolver.cast(from: from, to: to, context: context) != nil
    }

    static func isPolymorphic(_ type: OID) -> Bool {
        switch type {
        case .anyelement, .anyarray, .anynonarray, .anyenum, .anyrange, .anycompatible,
            .anycompatiblearray, .anycompatiblenonarray, .anycompatiblerange, OID(4537), OID(4538):
            return true
        default: return false
        }
    }

    static func category(_ type: OID) -> UInt8 {
        TypeRegistry.descriptor(type)?.category ?? UInt8(ascii: "U")
    }

    static func isPreferred(_ type: OID) -> Bool {
        TypeRegistry.descriptor(type)?.isPreferred ?? false
    }

    /// Binary-coercible as IsBinaryCoercible has it.
    static func isRelabel(_ from: OID, _ to: OID) -> Bool {
        if from == to { return true }
        if case .relabel? = FunctionResolver.cast(from: from, to: to, context: .implicit) {
            return true
        }
        return false
    }

    /// The `any…` family whose type at least one argument must tell; the `anycompatible` family falls
    /// back to text.
    static func needsKnownElement(_ declared: OID) -> Bool {
        switch declared {
        case .anyelement, .anynonarray, .anyenum, .anyarray: true
        default: false
        }
    }

    /// What polymorphic parameters stand for in one call; nil when the arguments disagree.
    struct Polymorphism {
        var element: OID = .invalid
        var compatible: OID = .invalid

        init?(declared: [OID], actual: [OID]) {
            var array: OID = .invalid
            var compatibles: [OID] = []
            var hasCompatible = false
            for (type, given) in zip(declared, actual) {
                switch type {
                case .anyelement, .anynonarray, .anyenum:
                    if given == .unknown { continue }
                    if type == .anynonarray, TypeRegistry.elementType(of: given) != nil {
                        return nil
                    }
                    if type == .anyenum { return nil }
                    if element != .invalid, element != given { return nil }
                    element = given
                case .anyarray:
                    if given == .unknown { continue }
                    guard let item = TypeRegistry.elementType(of: given) else {
                        if given == .anyarray { continue }
                        return nil
                    }
                    if array != .invalid, array != given { return nil }
                    array = given
                    _ = item
                case .anycompatible, .anycompatiblenonarray:
                    hasCompatible = true
                    if type == .anycompatiblenonarray, TypeRegistry.elementType(of: given) != nil {
                        return nil
                    }
                    compatibles.append(given)
                case .anycompatiblearray:
                    hasCompatible = true
                    if given == .unknown { continue }
                    guard let item = TypeRegistry.elementType(of: given) else { return nil }
                    compatibles.append(item)
                case .anyrange, .anycompatiblerange, OID(4537), OID(4538):
                    if given != .unknown { return nil }
                default: continue
                }
            }
            if array != .invalid {
                guard let item = TypeRegistry.elementType(of: array) else { return nil }
                if element == .invalid { element = item } else if element != item { return nil }
            }
            if hasCompatible {
                guard let common = FunctionResolver.commonType(compatibles) else { return nil }
                compatible = common
                for type in compatibles where !canCoerce(type, common) { return nil }
            }
        }

        /// The actual type of a declared one; `.invalid` when it cannot be told.
        func actual(_ declared: OID) -> OID {
            switch declared {
            case .anyelement, .anynonarray, .anyenum: return element
            case .anyarray:
                return element == .invalid ? .invalid : TypeRegistry.arrayType(of: element)
            case .anycompatible, .anycompatiblenonarray: return compatible
            case .anycompatiblearray:
                return compatible == .invalid ? .invalid : TypeRegistry.arrayType(of: compatible)
            default: return declared
            }
        }
    }
}
