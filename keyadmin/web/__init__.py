"""The kit that pages and API share: the request's context, who acts, errors as answers. No domain."""
