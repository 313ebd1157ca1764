internal import AviaryGraph

extension OperationRow {
  package static let padDimension: [OperationRow] = [
    .init(
      .padDimension(PadDimension(dimension: 1, before: 2, after: 1)),
      #"{"after":1,"before":2,"dimension":1}"#, [2, 3, 4, 5], gives: [2, 6, 4, 5]),
    .init(
      .padDimension(PadDimension(dimension: 0, before: 0, after: 2, value: 0.25)),
      #"{"after":2,"dimension":0,"value":0.25}"#, [2, 3, 4, 5], gives: [4, 3, 4, 5]),
    .init(
      .padDimension(PadDimension(dimension: 1, before: 2, after: 1, .reflect)),
      #"{"after":1,"before":2,"dimension":1,"mode":"reflect"}"#, [2, 3, 4, 5],
      gives: [2, 6, 4, 5]),
    .init(
      .padDimension(PadDimension(dimension: 2, before: 3, after: 4, .symmetric)),
      #"{"after":4,"before":3,"dimension":2,"mode":"symmetric"}"#, [2, 3, 4, 5],
      gives: [2, 3, 11, 5]),
    .init(
      .padDimension(PadDimension(dimension: 3, before: 1, after: 5, .circular)),
      #"{"after":5,"before":1,"dimension":3,"mode":"circular"}"#, [2, 3, 4, 5],
      gives: [2, 3, 4, 11]),
    .init(
      .padDimension(PadDimension(dimension: 3, before: 7, after: 0, .edge)),
      #"{"before":7,"dimension":3,"mode":"edge"}"#, [2, 3, 4, 5], gives: [2, 3, 4, 12]),
  ]
}
