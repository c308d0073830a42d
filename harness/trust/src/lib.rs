//! The neighbouring systems of the request, each an answer to "why does this end believe that end?".
