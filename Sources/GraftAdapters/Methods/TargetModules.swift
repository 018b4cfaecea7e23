import GraftFormats
import GraftLayers
import GraftTensor

/// Which modules a method adapts, by PEFT's rules (`check_target_module_exists`).
struct TargetModules: Sendable {
    /// A list of names (a module matches when its path is the name or ends in "." and the name) or
    /// one expression that the whole path must match.
    enum Names: Sendable {
        case list([String])
        case expression(String, RegularExpression)
        case allLinear
        /// PEFT's "dummy-target-modules": only the head and `modules_to_save` are trained.
        case nothing

        init?(_ value: JSON?, key: String, place: String) throws(GraftError) {
            switch value {
            case nil, .null: return nil
            case .string(let text) where text.lowercased() == "all-linear" && key == "target_modules": self = .allLinear
            case .string("dummy-target-modules") where key == "target_modules": self = .nothing
            case .string(let text):
                self = .expression(text, try RegularExpression(python: "(?:\(text))$", place: "\(place): \(key)"))
            case .array(let values):
                var names: [String] = []
                for value in values {
                    guard let name = value.stringValue else {
                        throw GraftError(.invalidArgument, "\(place): \(key) holds \(value.kind); expected strings")
                    }
                    names.append(name)
                }
                self = .list(names)
            case .some(let other):
                throw GraftError(
                    .invalidArgument, "\(place): \(key) is \(other.kind); expected a list of names, a string or null")
            }
        }

        func matches(_ path: String) throws(GraftError) -> Bool {
            switch self {
            case .list(let names): names.contains { Self.name($0, matches: path) }
            case .expression(_, let expression): try expression.matches(path)
            case .allLinear, .nothing: false
            }
        }

        static func name(_ name: String, matches path: String) -> Bool { path == name || path.hasSuffix("." + name) }
    }

    private let targets: Names?
    private let excluded: Names?
    private let saved: [RegularExpression]
    private let layers: Set<Int>?
    private let layerPatterns: [RegularExpression]
    private let place: String

    init(_ settings: JSONObject, place: String) throws(GraftError) {
        self.place = place
        targets = try Names(settings["target_modules"], key: "target_modules", place: place)
        excluded = try Names(settings["exclude_modules"], key: "exclude_modules", place: place)
        var saved: [RegularExpression] = []
        for name in try settings.optionalStrings("modules_to_save") ?? [] {
            saved.append(
                try RegularExpression(python: "(^|.*\\.)\(name)($|\\..*)", place: "\(place): modules_to_save"))
        }
        self.saved = saved
        layers = try Self.layers(settings["layers_to_transform"], place: place)
        let names: [String] =
            switch settings["layers_pattern"] {
            case .string(let name): name.isEmpty ? [] : [name]
            default: try settings.optionalStrings("layers_pattern") ?? []
            }
        // Any numbered segment, the first of the path.
        var patterns =
            names.isEmpty ? [try RegularExpression(python: ".*?\\.[^.]*\\.(?P<idx>\\d+)\\.", place: place)] : []
        for name in names {
            patterns.append(
                try RegularExpression(
                    python: "(?:^|.*?\\.)\(name)\\.(?P<idx>\\d+)\\.", place: "\(place): layers_pattern"))
        }
        layerPatterns = patterns
        if layers != nil, case .list = targets ?? .list([]) {
        } else if layers != nil {
            throw GraftError(
                .invalidArgument, "\(place): layers_to_transform needs target_modules to be a list of names")
        }
    }

    private static func layers(_ value: JSON?, place: String) throws(GraftError) -> Set<Int>? {
        switch value {
        case nil, .null: return nil
        case .array(let values) where values.isEmpty: return nil
        case .array(let values):
            var layers: Set<Int> = []
            for value in values {
                guard let layer = value.intValue else {
                    throw GraftError(
                        .invalidArgument, "\(place): layers_to_transform holds \(value.kind); expected whole numbers")
                }
                layers.insert(layer)
            }
            return layers
        case .some(let value):
            guard let layer = value.intValue else {
                throw GraftError(
                    .invalidArgument,
                    "\(place): layers_to_transform is \(value.kind); expected a whole number or a list of them")
            }
            return [layer]
        }
    }

    /// The sites to adapt, of the kinds the method can. `defaults` are the names when none are
    /// given.
    func sites(
        _ names: ModuleNames, kinds: [Site.Kind], defaults: [String]?, use: SettingsUse
    ) throws(GraftError) -> [Int] {
        guard let targets = targets ?? defaults.map(Names.list) else {
            throw GraftError(
                .invalidArgument,
                "\(place): target_modules is null and there is no default for \"\(names.model.architecture)\"")
        }
        if case .nothing = targets { return [] }
        var chosen: [Int] = []
        for (index, site) in names.sites.enumerated()
        where !site.isAbsent && names.has(site) && kinds.contains(site.kind) {
            if try isTarget(names.path(of: site), site, targets, names) { chosen.append(index) }
        }
        for site in names.sites where site.kind == .convolution {
            let path = names.path(of: site)
            guard try isTarget(path, site, targets, names) else { continue }
            throw GraftError(
                .unsupported,
                "\(place): target_modules matches the convolution \(path), of which adapters have the bias alone")
        }
        if case .list(let list) = targets, use == .create {
            // A name that matches nothing would silently do nothing. Defaults are of all models of
            // an architecture, of which some lack some.
            let expected = Set(list).subtracting(defaults ?? [])
            for name in list
            where expected.contains(name)
                && !names.sites.contains(where: {
                    $0.kind.hasWeights && names.has($0) && Names.name(name, matches: names.path(of: $0))
                })
            {
                throw noMatch("\"\(name)\"", names)
            }
        }
        if chosen.isEmpty { throw noMatch(describe(targets), names) }
        if use == .create { try requireExclusions(names) }
        return chosen
    }

    /// Refuses an exclusion that would silently do nothing.
    private func requireExclusions(_ names: ModuleNames) throws(GraftError) {
        guard let excluded else { return }
        let parts: [Names] =
            if case .list(let list) = excluded { list.map { .list([$0]) } } else { [excluded] }
        for part in parts {
            var matches = false
            for site in names.sites where site.kind.hasWeights && !matches {
                matches = try part.matches(names.path(of: site))
            }
            guard matches else { throw noMatch(describe(part), key: "exclude_modules", names) }
        }
    }

    private func isTarget(
        _ path: String, _ site: Site, _ targets: Names, _ names: ModuleNames
    ) throws(GraftError) -> Bool {
        if try excluded?.matches(path) ?? false { return false }
        for expression in saved where try expression.matches(path) { return false }
        if case .allLinear = targets {
            // All but what makes the outputs.
            let isInner = site.place == .backbone || site.path == names.model.conventions.maskedHead?.innerDense
            return site.kind == .linear && isInner
        }
        guard try targets.matches(path) else { return false }
        guard let layers, case .list(let list) = targets, !list.contains(path) else { return true }
        for pattern in layerPatterns {
            if let text = try pattern.capture("idx", in: path) { return Int(text).map(layers.contains) ?? false }
        }
        return false
    }

    private func describe(_ targets: Names) -> String {
        switch targets {
        case .list(let list): "[" + list.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        case .expression(let text, _): "\"\(text)\""
        case .allLinear: "all-linear"
        case .nothing: "dummy-target-modules"
        }
    }

    private func noMatch(_ what: String, key: String = "target_modules", _ names: ModuleNames) -> GraftError {
        let example = names.sites.first { $0.kind == .linear }.map { names.path(of: $0) } ?? ""
        return GraftError(
            .notFound,
            "\(place): \(key) \(what) matches no module of this \(names.model.architecture) model, whose "
                + "modules are named like \"\(example)\"")
    }
}
