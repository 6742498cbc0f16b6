// What many changes may come to instead of being made.

/** The writer of connection state is no longer the owner: its socket must be closed, nothing was changed. */
export interface Superseded {
  superseded: true
}

/** A name that has to be unique is in use. */
export interface AlreadyExists {
  alreadyExists: true
}

/** There is no such row in this organisation. */
export interface NotFound {
  notFound: true
}
