import GraftTensor

/// What the ecosystem calls an architecture's things. Nothing else of an architecture's names
/// stands anywhere else.
package struct Conventions: Sendable {
    /// `model_type` of config.json.
    package private(set) var architecture: String
    /// The encoder or decoder inside the task classes, as in "bert.encoder…".
    package private(set) var backbone: String
    /// The same inside the question answering class.
    private var answerBackbone: String
    /// The same inside the sequence classification class.
    private var rowBackbone: String
    /// The head's module in the sequence classification class, and whether it has a bias.
    package private(set) var headPath: String
    package let headHasBias: Bool
    /// The dense layer that this class' head has before that; nil where it reads what the pooler
    /// makes, or the hidden state.
    package private(set) var headDensePath: String?
    /// What follows that layer, or the pooler's.
    package let headActivation: Activation
    /// Whether dropout stands before that layer, too.
    package let headDropsInput: Bool
    /// The head's module in the multiple choice class; nil where transformers has none.
    package let choiceHeadPath: String?
    /// The head's module in the token classification class, where it has a bias.
    package private(set) var tokenHeadPath: String
    /// The head's module in the question answering class.
    package let answerHeadPath: String
    /// Modules beside the backbone that the classes of all heads have before them.
    package let headTransformPaths: [String]
    /// Whether the classes of heads of tokens have them, too.
    package let tokensReadTransform: Bool
    /// The modules of the head for masked words; nil where there is none.
    package private(set) var maskedHead: MaskedHeadNames?
    /// Which of a row's tokens stands for it in classification.
    package private(set) var summaryToken: SummaryToken
    /// transformers' class of the encoder alone, where a model with a decoder has one.
    package private(set) var encoderClass: String?
    /// Modules that PEFT adapts when `target_modules` is null, by the method's name.
    package private(set) var defaultTargets: [String: [String]]
    /// Modules that PEFT takes for feed-forward ones when `feedforward_modules` is null.
    package private(set) var feedForwardModules: [String]
    /// Before "AdapterModel" in the name of AdapterHub's class.
    package private(set) var className: String
    /// What releases before transformers 5 called modules, and adapters of theirs still do, with
    /// the names of now.
    package let formerNames: [String: String]
    /// The modules in which AdapterHub keeps what acts at the end of a sub-layer, where these are
    /// not the sub-layer itself.
    package let adapterHolders: [Site.Sublayer: String]

    package func headPath(_ head: HeadClass) -> String {
        switch head {
        case .rows: headPath
        case .choices: choiceHeadPath ?? headPath
        case .tokens: tokenHeadPath
        case .answers: answerHeadPath
        }
    }

    /// All modules of a head.
    package func headPaths(_ head: HeadClass) -> [String] {
        [headDensePath(head)].compactMap { $0 } + [headPath(head)]
    }

    /// The dense layer that a class' head has of its own.
    package func headDensePath(_ head: HeadClass) -> String? {
        head == .rows || (head == .choices && headPath(head) == headPath) ? headDensePath : nil
    }

    /// Of all classes.
    package var headPaths: [String] { HeadClass.allCases.flatMap(headPaths) }

    /// What comes before the names of a checkpoint's backbone: nothing where it is that alone.
    ///
    /// - Parameter has: whether there are tensors with such a start.
    package func prefix(_ has: (String) -> Bool) -> String {
        [backbone, answerBackbone, rowBackbone].map { $0 + "." }.first(where: has) ?? ""
    }

    /// What comes before the names of a class' backbone: nothing where that has no name. nil is a
    /// class without a head of these.
    package func start(of head: HeadClass? = nil) -> String {
        let name = head == .answers ? answerBackbone : head == .rows ? rowBackbone : backbone
        return name.isEmpty ? "" : name + "."
    }

    /// The module that makes what heads read.
    package var poolerModule: String {
        headTransformPaths.first.map { String($0.prefix { $0 != "." }) } ?? "pooler"
    }

    /// Whether a module is part of a head, in whose place an adapter may have its own.
    package func isHead(_ site: Site) -> Bool {
        site.place == .beside && !headTransformPaths.contains(site.path)
    }

    /// Whether a module or a tensor is of the head for masked words alone.
    package func isMaskedHead(_ path: String) -> Bool {
        guard let maskedHead, maskedHead.holds(path) else { return false }
        return !headTransformPaths.contains(where: path.isWithin)
    }

    /// Whether a class with a head of rows has the pooler.
    package func headReadsPooler(_ head: HeadClass) -> Bool { headDensePath(head) == nil }

    package init(
        architecture: String, backbone: String, answerBackbone: String? = nil, rowBackbone: String? = nil,
        headPath: String,
        answerHeadPath: String = "qa_outputs", headHasBias: Bool, headDensePath: String? = nil,
        headTransformPaths: [String] = [], tokensReadTransform: Bool = true,
        headActivation: Activation = .tanh, headDropsInput: Bool = true,
        choiceHeadPath: String? = nil, tokenHeadPath: String? = nil, maskedHead: MaskedHeadNames? = nil,
        summaryToken: SummaryToken, encoderClass: String? = nil, defaultTargets: [String: [String]],
        feedForwardModules: [String] = [], className: String, formerNames: [String: String] = [:],
        adapterHolders: [Site.Sublayer: String] = [:]
    ) {
        self.architecture = architecture
        self.backbone = backbone
        self.answerBackbone = answerBackbone ?? backbone
        self.rowBackbone = rowBackbone ?? backbone
        self.headPath = headPath
        self.headHasBias = headHasBias
        self.headDensePath = headDensePath
        self.headActivation = headActivation
        self.headDropsInput = headDropsInput
        self.choiceHeadPath = choiceHeadPath
        self.tokenHeadPath = tokenHeadPath ?? headPath
        self.answerHeadPath = answerHeadPath
        self.headTransformPaths = headTransformPaths
        self.tokensReadTransform = tokensReadTransform
        self.maskedHead = maskedHead
        self.summaryToken = summaryToken
        self.encoderClass = encoderClass
        self.defaultTargets = defaultTargets
        self.feedForwardModules = feedForwardModules
        self.className = className
        self.formerNames = formerNames
        self.adapterHolders = adapterHolders
    }

    /// The same of a checkpoint whose head for masked words has other modules.
    package func with(maskedHead: MaskedHeadNames) -> Conventions {
        var own = self
        own.maskedHead = maskedHead
        return own
    }

    /// Those of the encoder alone.
    package func ofEncoder(backbone: String, headPath: String) -> Conventions {
        var own = self
        (own.backbone, own.answerBackbone, own.rowBackbone) = (backbone, backbone, backbone)
        (own.headPath, own.tokenHeadPath, own.headDensePath) = (headPath, headPath, nil)
        (own.summaryToken, own.encoderClass) = (.first, nil)
        return own
    }

    /// Those of an architecture whose modules have the same names.
    package func named(
        _ architecture: String, className: String, answerBackbone: String? = nil, encoderClass: String? = nil,
        defaultTargets: [String: [String]]? = nil, feedForwardModules: [String]? = nil
    ) -> Conventions {
        var own = self
        own.architecture = architecture
        own.className = className
        own.answerBackbone = answerBackbone ?? self.answerBackbone
        own.encoderClass = encoderClass
        own.defaultTargets = defaultTargets ?? self.defaultTargets
        own.feedForwardModules = feedForwardModules ?? self.feedForwardModules
        return own
    }
}
