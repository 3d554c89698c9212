import FalconSchema

/// PostgreSQL's operator classes and families, as far as their index method and types exist here.
extension SystemCatalog {
    private static let btree = OID(403)

    static let operatorClassTables: [VirtualTable] = [
        VirtualTable(
            2616, "pg_opclass",
            "oid oid,opcmethod oid,opcname name,opcnamespace oid,opcowner oid,opcfamily oid,"
                + "opcintype oid,opcdefault bool,opckeytype oid"
        ) { _ in
            operatorClasses.map { words in
                [
                    oid(number(words, 0)), oid(btree), name(String(words[1])),
                    oid(CatalogSnapshot.pgCatalog), oid(10), oid(number(words, 2)),
                    oid(number(words, 3)), .bool(words[4] == "1"), oid(.invalid),
                ]
            }
        },
        VirtualTable(
            2753, "pg_opfamily",
            "oid oid,opfmethod oid,opfname name,opfnamespace oid,opfowner oid"
        ) { _ in
            families.map { words in
                [
                    oid(number(words, 0)), oid(btree), name(String(words[1])),
                    oid(CatalogSnapshot.pgCatalog), oid(10),
                ]
            }
        },
        VirtualTable(
            2602, "pg_amop",
            "oid oid,amopfamily oid,amoplefttype oid,amoprighttype oid,amopstrategy int2,"
                + "amoppurpose char,amopopr oid,amopmethod oid,amopsortfamily oid"
        ) { _ in
            members(of: builtInFamilyOperatorFacts).map { words in
                [
                    oid(number(words, 0)), oid(number(words, 1)), oid(number(words, 2)),
                    oid(number(words, 3)), oid(number(words, 4)), letter("s"),
                    oid(number(words, 5)), oid(btree), oid(.invalid),
                ]
            }
        },
        VirtualTable(
            2603, "pg_amproc",
            "oid oid,amprocfamily oid,amproclefttype oid,amprocrighttype oid,amprocnum int2,"
                + "amproc regproc"
        ) { _ in
            members(of: builtInFamilyFunctionFacts).map { words in
                (0..<6).map { oid(number(words, $0)) }
            }
        },
    ]

    private static func rows(_ facts: String) -> [[Substring]] {
        facts.split(separator: "\n").map { $0.split(separator: " ") }
    }

    private static func number(_ words: [Substring], _ place: Int) -> OID {
        OID(UInt32(words[place]) ?? 0)
    }

    private static func isKnown(_ type: OID) -> Bool { TypeRegistry.physical(type) != .none }

    private static let operatorClasses = rows(builtInOperatorClassFacts).filter {
        $0.count == 5 && isKnown(number($0, 3))
    }

    private static let families: [[Substring]] = {
        let used = Set(operatorClasses.map { number($0, 2) })
        return rows(builtInOperatorFamilyFacts).filter {
            $0.count == 2 && used.contains(number($0, 0))
        }
    }()

    /// The operators or functions of the families, over types that exist.
    private static func members(of facts: String) -> [[Substring]] {
        let used = Set(families.map { number($0, 0) })
        return rows(facts).filter {
            $0.count == 6 && used.contains(number($0, 1)) && isKnown(number($0, 2))
                && isKnown(number($0, 3))
        }
    }
}
